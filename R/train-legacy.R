# Names of Keras 2 that scripts still use for training (level 7).

#' Older names of fit(), evaluate() and predict() with batches
#'
#' These functions of Keras 2 are [fit()][fit.birnn_model], [evaluate()] and [predict()][predict.birnn_model], which
#' take functions that return batches themselves. They say so once in a session.
#'
#' @param object A compiled model.
#' @param generator A function that returns one batch at every call, or a data set.
#' @param steps_per_epoch,steps,epochs,verbose,callbacks,view_metrics See [fit()][fit.birnn_model].
#' @param validation_data,validation_steps,class_weight,initial_epoch See [fit()][fit.birnn_model].
#' @param max_queue_size,workers Without effect.
#' @return As the functions they stand for.
#' @family training
#' @export
#' @examples
#' model <- keras_model_sequential(input_shape = 1) |> layer_dense(1)
#' model |> compile("sgd", loss = "mse")
#' batches <- function() list(matrix(1:4), 1:4)
#' suppressWarnings(fit_generator(model, batches, steps_per_epoch = 2, verbose = 0))
fit_generator <- function(object, generator, steps_per_epoch, epochs = 1L,
                          verbose = getOption("keras.verbose", "auto"), callbacks = NULL,
                          view_metrics = getOption("keras.view_metrics", "auto"), validation_data = NULL,
                          validation_steps = NULL, class_weight = NULL, max_queue_size = 10L, workers = 1L,
                          initial_epoch = 1L) {
  warn_older_name("fit_generator", "fit", "takes the same data")
  fit(object, generator, steps_per_epoch = steps_per_epoch, epochs = epochs, verbose = verbose, callbacks = callbacks,
      view_metrics = view_metrics, validation_data = validation_data, validation_steps = validation_steps,
      class_weight = class_weight, initial_epoch = max(initial_epoch, 1L))
}

#' @rdname fit_generator
#' @export
evaluate_generator <- function(object, generator, steps, max_queue_size = 10L, workers = 1L, callbacks = NULL) {
  warn_older_name("evaluate_generator", "evaluate", "takes the same data")
  evaluate(object, generator, steps = steps, callbacks = callbacks)
}

#' @rdname fit_generator
#' @export
predict_generator <- function(object, generator, steps, max_queue_size = 10L, workers = 1L, verbose = 0,
                              callbacks = NULL) {
  warn_older_name("predict_generator", "predict", "takes the same data")
  stats::predict(object, generator, steps = steps, verbose = verbose, callbacks = callbacks)
}
