# Schedules that lower the learning rate step by step (level 3).

check_decay_steps <- function(x, arg, call) {
  value <- check_number(x, arg = arg, call = call)
  if (value <= 0) stop_not("a positive number", x, arg, call)
  value
}

# What most schedules start with: list(initial_learning_rate, decay_steps).
decay_config <- function(initial_learning_rate, decay_steps, arg = "decay_steps", call = rlang::caller_env()) {
  config <- list(
    initial_learning_rate = check_number(initial_learning_rate, min = 0, arg = "initial_learning_rate", call = call),
    decay_steps = check_decay_steps(decay_steps, arg, call)
  )
  names(config)[[2]] <- arg
  config
}

#' Learning rates that fall
#'
#' A schedule gives the learning rate of each training step. Give it to an optimizer as `learning_rate`; it is then
#' computed from the number of steps done. Called with a step, counted from 0, a schedule returns the rate.
#'
#' With \eqn{\eta} the initial rate, \eqn{s} the step, \eqn{S} `decay_steps`:
#'
#' | schedule | rate |
#' |---|---|
#' | `exponential_decay` | \eqn{\eta r^{s / S}} |
#' | `inverse_time_decay` | \eqn{\eta / (1 + r s / S)} |
#' | `polynomial_decay` | \eqn{(\eta - e) (1 - s / S)^p + e}, from \eqn{S} on \eqn{e}; with `cycle` \eqn{S} grows to the
#'   next multiple instead |
#' | `cosine_decay` | \eqn{\eta ((1 - \alpha) (1 + \cos(\pi s / S)) / 2 + \alpha)}, from \eqn{S} on \eqn{\eta \alpha};
#'   before that a linear way from \eqn{\eta} to `warmup_target` within `warmup_steps`, if they are given |
#' | `cosine_decay_restarts` | the same again and again, each time `t_mul` times as long and `m_mul` times as high |
#' | `piecewise_constant_decay` | `values[[k]]` after `boundaries[[k - 1]]` up to `boundaries[[k]]` |
#'
#' @param initial_learning_rate The rate at the start.
#' @param decay_steps,first_decay_steps How many steps the decay takes.
#' @param decay_rate The number \eqn{r} of the table.
#' @param staircase Whether \eqn{s / S} is rounded down.
#' @param end_learning_rate,power The numbers \eqn{e} and \eqn{p} of the table.
#' @param cycle Whether the rate rises again after `decay_steps`.
#' @param alpha The smallest rate as a share of the initial one.
#' @param warmup_target,warmup_steps The rate after the warm-up, and how long that takes; `NULL` for none.
#' @param t_mul,m_mul How much longer and higher each restart is than the one before.
#' @param boundaries,values Steps at which the rate changes, and the rates, one more.
#' @param name A name.
#' @return A schedule: a function of the step that returns the rate, and a `learning_rate` for [optimizer_sgd()] and its
#'   family.
#' @source <https://keras.io/api/optimizers/learning_rate_schedules/>
#' @family optimizers
#' @export
#' @examples
#' schedule <- learning_rate_schedule_exponential_decay(0.1, decay_steps = 100, decay_rate = 0.5)
#' schedule(200)
#' optimizer_adam(learning_rate = schedule)
learning_rate_schedule_exponential_decay <- function(initial_learning_rate, decay_steps, decay_rate, staircase = FALSE,
                                                     name = "ExponentialDecay") {
  config <- c(decay_config(initial_learning_rate, decay_steps), list(
    decay_rate = check_number(decay_rate), staircase = check_flag(staircase), name = check_string(name)
  ))
  new_schedule("ExponentialDecay", config, function(step) {
    config$initial_learning_rate * config$decay_rate^decay_share(step, config)
  })
}

decay_share <- function(step, config) {
  share <- step / config$decay_steps
  if (config$staircase) floor(share) else share
}

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_inverse_time_decay <- function(initial_learning_rate, decay_steps, decay_rate,
                                                      staircase = FALSE, name = "InverseTimeDecay") {
  config <- c(decay_config(initial_learning_rate, decay_steps), list(
    decay_rate = check_number(decay_rate), staircase = check_flag(staircase), name = check_string(name)
  ))
  new_schedule("InverseTimeDecay", config, function(step) {
    config$initial_learning_rate / (1 + config$decay_rate * decay_share(step, config))
  })
}

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_polynomial_decay <- function(initial_learning_rate, decay_steps, end_learning_rate = 1e-04,
                                                    power = 1, cycle = FALSE, name = "PolynomialDecay") {
  config <- c(decay_config(initial_learning_rate, decay_steps), list(
    end_learning_rate = check_number(end_learning_rate, min = 0), power = check_number(power),
    cycle = check_flag(cycle), name = check_string(name)
  ))
  new_schedule("PolynomialDecay", config, function(step) {
    steps <- config$decay_steps * if (config$cycle) max(1, ceiling(step / config$decay_steps)) else 1
    left <- 1 - min(step, steps) / steps
    (config$initial_learning_rate - config$end_learning_rate) * left^config$power + config$end_learning_rate
  })
}

# Half a cosine from 1 to alpha as `share` goes from 0 to 1.
cosine_share <- function(share, alpha) (1 - alpha) * (1 + cos(pi * min(share, 1))) / 2 + alpha

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_cosine_decay <- function(initial_learning_rate, decay_steps, alpha = 0, name = "CosineDecay",
                                                warmup_target = NULL, warmup_steps = 0L) {
  config <- c(decay_config(initial_learning_rate, decay_steps), list(
    alpha = check_number(alpha), name = check_string(name),
    warmup_target = check_number(warmup_target, min = 0, allow_null = TRUE),
    warmup_steps = check_whole(warmup_steps, min = 0)
  ))
  new_schedule("CosineDecay", config, function(step) {
    start <- config$initial_learning_rate
    if (is.null(config$warmup_target)) return(start * cosine_share(step / config$decay_steps, config$alpha))
    after <- step - config$warmup_steps
    if (after < 0) return(start + (config$warmup_target - start) * step / config$warmup_steps)
    config$warmup_target * cosine_share(after / config$decay_steps, config$alpha)
  })
}

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_cosine_decay_restarts <- function(initial_learning_rate, first_decay_steps, t_mul = 2, m_mul = 1,
                                                         alpha = 0, name = "SGDRDecay") {
  config <- c(decay_config(initial_learning_rate, first_decay_steps, "first_decay_steps"), list(
    t_mul = check_decay_steps(t_mul, "t_mul", rlang::current_env()), m_mul = check_number(m_mul),
    alpha = check_number(alpha), name = check_string(name)
  ))
  new_schedule("CosineDecayRestarts", config, function(step) {
    period <- restart_period(step / config$first_decay_steps, config$t_mul)
    height <- config$m_mul^period$number
    config$initial_learning_rate * cosine_share_of_height(period$share, config$alpha, height)
  })
}

cosine_share_of_height <- function(share, alpha, height) {
  (1 - alpha) * height * (1 + cos(pi * share)) / 2 + alpha
}

# The periods take 1, t, t^2, ... (in units of the first one): which one `elapsed` lies in, counted from 0, and how far.
# Rounding must not put the start of a period at the end of the one before.
restart_period <- function(elapsed, t) {
  number <- floor(1e-9 + if (t == 1) elapsed else log(1 - elapsed * (1 - t)) / log(t))
  started <- if (t == 1) number else (1 - t^number) / (1 - t)
  list(number = number, share = max(0, elapsed - started) / t^number)
}

#' @rdname learning_rate_schedule_exponential_decay
#' @export
learning_rate_schedule_piecewise_constant_decay <- function(boundaries, values, name = "PiecewiseConstant") {
  boundaries <- unlist(boundaries)
  values <- unlist(values)
  if (!is.numeric(boundaries) || !is.numeric(values) || length(values) != length(boundaries) + 1) {
    birnn_abort(
      "{.arg boundaries} and {.arg values} must be numbers, one boundary less than values, not {length(boundaries)} and
       {length(values)}."
    )
  }
  config <- list(boundaries = as.list(boundaries), values = as.list(values), name = check_string(name))
  new_schedule("PiecewiseConstantDecay", config, function(step) values[[sum(step > boundaries) + 1]])
}

register_schedule("ExponentialDecay", learning_rate_schedule_exponential_decay)
register_schedule("InverseTimeDecay", learning_rate_schedule_inverse_time_decay)
register_schedule("PolynomialDecay", learning_rate_schedule_polynomial_decay)
register_schedule("CosineDecay", learning_rate_schedule_cosine_decay)
register_schedule("CosineDecayRestarts", learning_rate_schedule_cosine_decay_restarts)
register_schedule("PiecewiseConstantDecay", learning_rate_schedule_piecewise_constant_decay)
