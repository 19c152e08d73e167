/* A table of random numbers on standard output: write_csv ROWS COLUMNS. About 9 bytes a number, a
 * header, and a last column `label` of 0 or 1. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    size_t rows = argc > 1 ? (size_t)atol(argv[1]) : 1000;
    size_t columns = argc > 2 ? (size_t)atol(argv[2]) : 10;
    uint64_t state = 1;
    static char room[1 << 20];
    setvbuf(stdout, room, _IOFBF, sizeof room);
    for (size_t c = 0; c < columns; c++)
        printf("c%zu,", c);
    puts("label");
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            char text[16];
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint32_t digits = (uint32_t)(state >> 33) % 10000000u;
            for (int i = 8; i > 1; i--, digits /= 10) /* -0.1234567 */
                text[i] = (char)('0' + digits % 10);
            text[0] = '0';
            text[1] = '.';
            text[9] = ',';
            if (state >> 63)
                putchar('-');
            fwrite(text, 1, 10, stdout);
        }
        puts(r % 3 ? "1" : "0");
    }
    return fflush(stdout) != 0;
}
