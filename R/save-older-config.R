# Configs of Keras 2 and of the older whole-model files, translated into those of today (level 8).

# Settings of Keras 2 that change nothing here, or say what is always so.
dropped_settings <- c("implementation", "jit_compile", "is_legacy_optimizer", "use_cudnn")

# `config`: an object's config with everything in it. Only lists with a class_name are touched.
modern_config <- function(config) {
  if (!is_plain_list(config)) return(config)
  config[] <- lapply(config, modern_config)
  if (!is.character(config$class_name) || length(config$class_name) != 1) return(config)
  config$class_name <- sub("^Custom>(SGD|RMSprop|Adam|AdamW|Adamax|Adagrad|Adadelta|Nadam|Lion|Ftrl)$", "\\1", config$class_name)
  if (!is_plain_list(config$config)) return(config)
  # Graphs were called so before there were models written by users.
  if (config$class_name == "Model" && "input_layers" %in% names(config$config)) config$class_name <- "Functional"
  if (config$class_name == "Sequential" && is_plain_list(config$config) && is.null(names(config$config))) {
    config$config <- list(layers = config$config)   # before Keras 2.2.3: nothing but the layers
  }
  config$config <- modern_settings(config$class_name, config$config)
  config
}

modern_settings <- function(class_name, settings) {
  if (class_name == "InputLayer") return(modern_input(settings))
  if (isTRUE(settings$time_major)) {
    birnn_abort("Layer {.val {settings$name}} takes time as its first axis: that is not supported.", kind = "config",
                call = NULL)
  }
  # The first GRU of Keras knew one form only, and its configs do not say which.
  if (class_name %in% c("GRU", "GRUCell") && "implementation" %in% names(settings) && is.null(settings$reset_after)) {
    settings$reset_after <- FALSE
  }
  settings[!names(settings) %in% c(dropped_settings, "time_major")]
}

modern_input <- function(settings) {
  if (is.null(settings$batch_shape)) settings$batch_shape <- settings$batch_input_shape
  settings$batch_input_shape <- NULL
  settings
}
