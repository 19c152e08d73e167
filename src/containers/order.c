/* Heap sort: no stack, no memory, n log n whatever the input. */
#include "containers/order.h"

static void order_sift(uint32_t *heap, size_t root, size_t n, ia_order_less *less,
                       const void *context)
{
    uint32_t v = heap[root];
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && less(context, heap[child], heap[child + 1]))
            child++;
        if (!less(context, v, heap[child]))
            break;
        heap[root] = heap[child];
    }
    heap[root] = v;
}

void ia_order_sort(uint32_t *order, size_t n, ia_order_less *less, const void *context)
{
    for (size_t root = n / 2; root-- > 0;)
        order_sift(order, root, n, less, context);
    for (size_t last = n; last-- > 1;) {
        uint32_t largest = order[0];
        order[0] = order[last];
        order[last] = largest;
        order_sift(order, 0, last, less, context);
    }
}
