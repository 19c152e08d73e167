/* Sorting of numbers that stand for things: members, words, values.
 *
 * Own code rather than qsort, which may allocate behind the gate and has no context argument. */
#ifndef IA_CONTAINERS_ORDER_H
#define IA_CONTAINERS_ORDER_H

#include "base/status.h"

/* a sorts before b. */
typedef bool ia_order_less(const void *context, uint32_t a, uint32_t b);

/* Sorts order[n] in place; not stable, so `less` should break ties. */
void ia_order_sort(uint32_t *order, size_t n, ia_order_less *less, const void *context);

#endif
