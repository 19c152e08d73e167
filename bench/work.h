/* The rows of the speed table that train or predict: what they are made of. Peers read the same
 * numbers from `inarch_bench rows`. */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stddef.h>
#include <stdint.h>

typedef struct work {
    const char *name;
    const char *arch; /* a SPEC; W1: of the frozen part */
    const char *add;  /* grafted on top of the frozen part, or NULL */
    size_t rows, in;
    size_t classes; /* 1: one number, binary crossentropy */
    size_t batch;
    double madds; /* multiply-adds of a row and epoch; 0: not bound by arithmetic */
} work;

#define DENSE_64_X10                                                                               \
    "dense:64:relu,dense:64:relu,dense:64:relu,dense:64:relu,dense:64:relu,dense:64:relu,"         \
    "dense:64:relu,dense:64:relu,dense:64:relu,dense:64:relu"

/* Forward and dw of every live layer, dx of all but the first. */
static const work works[] = {
    {"W1", "input:20," DENSE_64_X10, "dense:128:relu,dense:1:sigmoid", 10000, 20, 1, 32, 0},
    {"W2", "input:784,dense:512:relu,dense:512:relu,dense:10:softmax", NULL, 60000, 784, 10, 128,
     2.0 * 784 * 512 + 3.0 * 512 * 512 + 3.0 * 512 * 10},
    {"W3", "input:2048,dense:4096:relu,dense:4096:relu,dense:1000:softmax", NULL, 10240, 2048, 1000,
     512, 2.0 * 2048 * 4096 + 3.0 * 4096 * 4096 + 3.0 * 4096 * 1000},
    {"W4", "input:2048,dense:1000:softmax", NULL, 50000, 2048, 1000, 128, 2.0 * 2048 * 1000},
    {"W5", "input:4,dense:16:relu,dense:1:sigmoid", NULL, 150, 4, 1, 16, 0},
    {"W6", "input:784,dense:512:relu,dense:512:relu,dense:10:softmax", NULL, 10000, 784, 10, 256,
     1.0 * 784 * 512 + 512 * 512 + 512 * 10},
};

#endif
