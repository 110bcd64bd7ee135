# Every exported op, from one table (helper-op-table.R): eagerly, in plans, symbolically, in both float types, at two
# batch sizes, and its gradients.

set.seed(1)
op_input <- array(stats::rnorm(5 * 12), c(5, 3, 4))

test_that("every exported op has a row in the table", {
  exported <- grep("^op_.*[^-]$", getNamespaceExports("birnn"), value = TRUE)
  exported <- sub("^op_", "", exported)
  rows <- op_of_row(names(c(op_table, eager_op_table)))
  expect_identical(setdiff(exported, rows), character())
  expect_identical(setdiff(rows, exported), character())
})

test_that("every op gives the bits of its eager call in a plan, at two batch sizes, in both float types", {
  for (floatx in both_floatx) with_floatx(floatx, {
    for (name in names(op_table)) {
      fn <- op_table[[name]]
      step <- new_step(function(inputs) list(outputs = flatten_structure(fn(inputs[[1]])), loss = NULL))
      for (rows in list(1:5, 1:2)) {
        planned <- run_step(step, list(as_tensor(op_input)), rows)$outputs
        eager <- flatten_structure(fn(as_tensor(op_input[rows, , , drop = FALSE])))
        expect_identical(lapply(planned, tensor_dtype), lapply(eager, tensor_dtype), info = name)
        expect_same_bits(planned, eager, name)
      }
      expect_false(step$eager, info = name)
    }
  })
})

test_that("single and double precision give the same numbers up to rounding", {
  of <- function(floatx) {
    with_floatx(floatx, lapply(op_table, function(fn) flatten_structure(fn(as_tensor(op_input)))))
  }
  double <- of("float64")
  single <- of("float32")
  for (name in names(op_table)) {
    for (k in seq_along(double[[name]])) {
      expect_close(single[[name]][[k]], as.array(double[[name]][[k]]), 1e-4, name)
      if (is_float_output(double[[name]][[k]])) expect_identical(tensor_dtype(double[[name]][[k]]), "float64")
    }
  }
})

test_that("symbolic ops know types and shapes as far as the batch allows", {
  x <- keras_input(shape = c(3, 4))
  for (name in names(op_table)) {
    inferred <- flatten_structure(in_layer_call(op_table[[name]](x)))
    for (batch in c(2L, 5L)) {
      actual <- flatten_structure(op_table[[name]](op_zeros(c(batch, 3, 4))))
      expect_identical(lapply(inferred, tensor_dtype), lapply(actual, tensor_dtype), info = name)
      for (k in seq_along(actual)) {
        shapes <- lapply(list(inferred[[k]], actual[[k]]), tensor_shape)
        expect_length(shapes[[1]], length(shapes[[2]]))
        expect_true(all(is.na(shapes[[1]]) | shapes[[1]] == shapes[[2]]), info = name)
      }
    }
  }
})

# Every element of a small x would take long for so many ops: three random directions see each of them.
test_that("gradients of every op are exact", {
  with_floatx("float64", {
    x <- op_input[1:2, , ]
    for (name in setdiff(names(op_table), "stop_gradient")) {
      outputs <- function(x) Filter(is_float_output, flatten_structure(op_table[[name]](x)))
      if (length(outputs(as_tensor(x))) == 0) next
      expect_gradients(function(x) sine_sum(outputs(x[[1]])), list(x), directions = 3, label = name)
    }
  })
})

test_that("nothing flows back through op_stop_gradient()", {
  found <- value_and_gradients(function(x) op_sum(op_stop_gradient(x[[1]]) * x[[1]]), list(as_tensor(op_input)))
  expect_close(found$inputs[[1]], op_input, 1e-6)
})

test_that("ops that look at the numbers run eagerly, also within steps, and refuse symbolic tensors", {
  for (name in names(eager_op_table)) {
    fn <- eager_op_table[[name]]
    step <- new_step(function(inputs) list(outputs = list(fn(inputs[[1]])), loss = NULL))
    for (rows in list(1:5, 1:2)) {
      eager <- fn(as_tensor(op_input[rows, , , drop = FALSE]))
      expect_same_bits(run_step(step, list(as_tensor(op_input)), rows)$outputs[[1]], eager, name)
    }
    expect_true(step$eager, info = name)
    expect_error(fn(keras_input(shape = c(3, 4))), class = "birnn_error_symbolic")
  }
})
