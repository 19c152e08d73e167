/* Template: one instruction set's kernels from the shared sources, and its table.
 *
 * The including file has set the target, defines SET (its name, an identifier) and SET_NAME (text),
 * and provides product_chain, product_tree, pack_rows, pack_columns, TILE_M and TILE_N. */
#include "kernels/dispatch.h"
#include "kernels/map.inc.h"
#include "kernels/rows.inc.h"
#include "kernels/loss.inc.h"
#include "kernels/sparsemax.inc.h"
#include "kernels/columns.inc.h"
#include "kernels/mask.inc.h"
#include "kernels/update.inc.h"

#define SET_MAP(name) loop_##name,
#define SET_ACTIVATE(name, ...) activate_##name,
#define SET_ACTIVATE_DZ(name, ...) activate_##name##_dz,
#define SET_ROW(name, z) name,
#define SET_ROW_DZ(name, z) name##_dz,
#define SET_LOSS(name) loss_##name,
#define SET_UPDATE(name, slots) update_##name,

const ia_kernel_set SET = {
    .name = SET_NAME,
    .tile_m = TILE_M,
    .tile_n = TILE_N,
    .tree_m = TREE_M,
    .chain = product_chain,
    .tree = product_tree,
    .pack_rows = pack_rows,
    .pack_columns = pack_columns,
    .pack_tree = pack_tree,
    .map = {IA_MAPS(SET_MAP)},
    .activate = {IA_ELEMENTWISE_ACTIVATIONS(SET_ACTIVATE)},
    .activate_dz = {IA_ELEMENTWISE_ACTIVATIONS(SET_ACTIVATE_DZ)},
    .row_activate = {IA_ROW_ACTIVATIONS(SET_ROW)},
    .row_activate_dz = {IA_ROW_ACTIVATIONS(SET_ROW_DZ)},
    .row_sum = row_sum,
    .row_sqdiff = row_sqdiff,
    .row_dot = row_dot,
    .sum = columns_sum,
    .sum_mul = columns_sum_mul,
    .sum_sqdiff = columns_sum_sqdiff,
    .loss = {IA_ELEMENT_LOSSES(SET_LOSS) IA_ROW_LOSSES(SET_LOSS)},
    .row_argmax = row_argmax,
    .penalty_sum = penalty_sum,
    .penalty_grad = penalty_grad,
    .dropout = mask_dropout,
    .normal = mask_normal,
    .update = {IA_UPDATES(SET_UPDATE)},
    .sum_squares = sum_squares,
};
