// The parts of those families of ops that fill more than one file (level L3).
#pragma once

namespace birnn {

void register_unary_ops();
void register_binary_ops();
void register_where_op();
void register_scan_ops();
void register_sort_ops();
void register_slice_ops();
void register_update_ops();
void register_join_ops();
void register_fill_ops();
void register_conv_ops();
void register_pool_ops();
void register_ctc_ops();

}  // namespace birnn
