# Callback(): classes of callbacks.

tiny <- function() {
  set.seed(1)
  model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
  model |> compile(optimizer_sgd(0.05), loss = "mse", metrics = "mae")
  model
}

x <- matrix(1:4 / 4)
y <- c(2, 1, 0, -1)

train <- function(callbacks, ..., model = tiny()) fit(model, x, y, verbose = 0, callbacks = callbacks, ...)

test_that("all 14 hooks are called, with self, the model and the parameters", {
  seen <- character()
  note <- function(hook) {
    fn <- function(...) NULL
    is_indexed <- grepl("epoch|batch", hook)
    formals(fn) <- if (is_indexed) alist(index = , logs = ) else alist(logs = )
    body(fn) <- bquote(self$note(.(hook), .(if (is_indexed) quote(index) else NULL)))
    fn
  }
  Noting <- do.call(Callback, c(list("Noting"), lapply(rlang::set_names(callback_hooks), note), list(
    note = function(hook, index) {
      seen <<- c(seen, paste0(hook, if (!is.null(index)) index))
      expect_s3_class(self$model, "birnn_model")
      expect_named(self$params, c("verbose", "epochs", "steps"))
      NULL
    }
  )))
  model <- tiny()
  train(Noting(), epochs = 1, batch_size = 4, validation_data = list(x, y), model = model)
  predict(model, x, callbacks = list(Noting()))
  expect_equal(seen, c(
    "on_train_begin", "on_epoch_begin1", "on_train_batch_begin1", "on_train_batch_end1", "on_test_begin",
    "on_test_batch_begin1", "on_test_batch_end1", "on_test_end", "on_epoch_end1", "on_train_end", "on_predict_begin",
    "on_predict_batch_begin1", "on_predict_batch_end1", "on_predict_end"
  ))
})

test_that("on_batch_begin and on_batch_end are hooks of training batches, unless there are those by name", {
  seen <- character()
  note <- function(what, batch, logs) seen <<- c(seen, paste(what, batch, length(logs)))
  Older <- Callback("Older",
    on_batch_begin = function(batch, logs) note("begin", batch, logs),
    on_batch_end = function(batch, logs) note("end", batch, logs)
  )
  train(Older(), epochs = 1, batch_size = 2)
  expect_equal(seen, c("begin 1 0", "end 1 2", "begin 2 0", "end 2 2"))
  seen <- character()
  train(callback_lambda(on_batch_end = function(batch, logs) note("lambda", batch, logs)), batch_size = 4)
  Both <- Callback("Both",
    on_train_batch_end = function(batch, logs) note("named", batch, logs),
    on_batch_end = function(batch, logs) note("older", batch, logs)
  )
  train(Both(), batch_size = 4)
  expect_equal(seen, c("lambda 1 2", "named 1 2"))
})

test_that("a class has arguments, fields, private members, computed fields and methods of its own", {
  Counter <- new_callback_class("Counter",
    initialize = function(start = 0, ...) {
      self$count <- start
      private$steps <- list(...)
    },
    on_epoch_end = function(epoch, logs) self$add(private$by),
    add = function(n) {
      self$count <- self$count + n
      NULL
    },
    twice = active_property(function() 2 * self$count),
    private = list(by = 3)
  )
  expect_equal(names(formals(Counter)), c("start", "..."))
  counter <- Counter(start = 1, 7)
  train(counter, epochs = 2)
  expect_equal(counter$count, 7)
  expect_equal(counter$twice, 14)
  expect_s3_class(counter, c("Counter", "birnn_callback"), exact = FALSE)
  expect_output(print(counter), "<Counter>", fixed = TRUE)
  expect_output(print(Counter), "<Callback class Counter>\n signature: \\(start = 0, ...\\)")
  expect_equal(Counter()$count, 0)
  expect_error(Counter(begin = 2), NA)
})

test_that("a leading self is optional, and methods see where the class was made", {
  bound <- 2
  Stopper <- Callback("Stopper", on_epoch_end = function(self, epoch, logs = NULL) {
    if (epoch == bound) self$model$stop_training <- TRUE
    NULL
  })
  expect_length(train(Stopper(), epochs = 5)$metrics$loss, 2)
})

test_that("returned lists change the logs of later callbacks and of the history", {
  Adder <- Callback("Adder", on_epoch_end = function(epoch, logs) list(extra = epoch + 0.5))
  batches <- list()
  history <- train(list(
    Adder(),
    Callback("Doubler", on_epoch_end = function(epoch, logs) list(double = 2 * logs$extra))(),
    callback_lambda(on_train_batch_end = function(batch, logs) list(batch_extra = batch)),
    callback_lambda(on_train_batch_end = function(batch, logs) batches[[batch]] <<- names(logs))
  ), epochs = 2, batch_size = 2)
  expect_equal(history$metrics$extra, c(1.5, 2.5))
  expect_equal(history$metrics$double, c(3, 5))
  expect_equal(batches, rep(list(c("loss", "mae", "batch_extra")), 2))
})

test_that("a class inherits from another one", {
  Parent <- Callback("Parent",
    initialize = function(factor) {
      self$factor <- factor
      self$values <- numeric()
    },
    on_epoch_end = function(epoch, logs) {
      self$values <- c(self$values, epoch * self$factor * private$sign)
      list(value = tail(self$values, 1))
    },
    private = list(sign = -1)
  )
  Child <- Callback("Child",
    inherit = Parent,
    initialize = function(...) {
      super$initialize(...)
      self$children <- TRUE
    },
    on_epoch_end = function(epoch, logs) {
      logs <- super()$on_epoch_end(epoch, logs)
      list(value = logs$value + 100)
    }
  )
  child <- Child(factor = 2)
  expect_equal(train(child, epochs = 2)$metrics$value, c(98, 96))
  expect_equal(child$values, c(-2, -4))
  expect_s3_class(child, "Parent")
  Grandchild <- Callback("Grandchild", inherit = Child)
  expect_equal(names(formals(Grandchild)), "...")
  expect_equal(train(Grandchild(factor = 1), epochs = 1)$metrics$value, 99)
})

test_that("the learning rate and the weights can be read and set", {
  KeepBest <- Callback("KeepBest",
    on_train_begin = function(logs = NULL) {
      self$best <- Inf
      NULL
    },
    on_epoch_end = function(epoch, logs = NULL) {
      if (logs$loss < self$best) {
        self$best <- logs$loss
        self$weights <- self$model$get_weights()
      }
      self$model$optimizer$learning_rate <- 10
      NULL
    },
    on_train_end = function(logs = NULL) {
      self$model$set_weights(self$weights)
      NULL
    }
  )
  model <- tiny()
  keeper <- KeepBest()
  history <- train(keeper, epochs = 3, model = model)
  expect_gt(history$metrics$loss[[3]], history$metrics$loss[[1]])
  expect_equal(keeper$best, min(history$metrics$loss))
  expect_identical(get_weights(model), keeper$weights)
  expect_equal(as.numeric(model$optimizer$learning_rate), 10)
})

test_that("any R6 object with hooks is taken as a callback", {
  Plain <- R6::R6Class("Plain", public = list(
    model = NULL, epochs = 0,
    on_epoch_end = function(epoch, logs) {
      self$epochs <- self$epochs + 1
      list(units = self$model$layers[[1]]$units)
    }
  ))
  plain <- Plain$new()
  expect_equal(train(plain, epochs = 2)$metrics$units, c(1, 1))
  expect_equal(plain$epochs, 2)
})

test_that("what is not a callback class or a callback is refused", {
  expect_refused(Callback("A b"), "value")
  expect_refused(Callback("A", on_epoch_end = 3), "value")
  expect_refused(Callback("A", model = 3), "value")
  expect_refused(Callback("A", inherit = loss_huber), "value")
  Simple <- Callback("Simple")
  model <- tiny()
  expect_refused(train(Simple, model = model), "value", list(model))
  expect_refused(train(list(Simple(), 3), model = model), "value", list(model))
})

test_that("an error in a hook names the class and the hook", {
  Failing <- Callback("Failing", on_epoch_begin = function(epoch, logs) stop("no"))
  expect_error(train(Failing()), "on_epoch_begin.*Failing", class = "birnn_error_internal")
})
