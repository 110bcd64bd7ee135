# Values and gradients of ops as Keras has them.

for (floatx in both_floatx) {
  test_that(paste("ops give Keras' values and gradients in", floatx), {
    for (case in load_fixture("ops")) expect_op_case(case, floatx)
  })
}
