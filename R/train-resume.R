# Going on in the middle of a training: where a run is, and how its batches come back to there (level 7).
#
# A callback with a method `join_run(run)` gets the run of fit() before it starts and returns it, changed. It may set
# `run$resume`: list(epoch, batch, restore), the epoch to go on with, how many of its batches are done, and a function
# (run, means) that brings everything back. Its hook `on_safe_point(epoch, batch, means)` is called whenever nothing is
# half done: after all other hooks of a batch (`batch` of `epoch` are done), and of an epoch (0 of the next one are).

join_run <- function(run) {
  for (callback in run$members) if (is.function(callback$join_run)) run <- callback$join_run(run)
  run
}

run_safe_point <- function(run, epoch, batch, means = NULL) {
  for (callback in run$callbacks$on_safe_point) call_hook(callback, "on_safe_point", epoch, batch, means)
}

# The epochs that are left. A run that goes on between two epochs is brought back here, one that goes on within an epoch
# by run_epoch(): what happens when an epoch begins must not change it.
epochs_to_run <- function(run) {
  resume <- run$resume
  if (is.null(resume)) return(run$epochs)
  if (resume$batch == 0L) resume$restore(run)
  if (isTRUE(run$model$stop_training)) return(integer())
  run$epochs[run$epochs >= resume$epoch]
}

resumes_within <- function(run, epoch) identical(run$resume$epoch, epoch) && run$resume$batch > 0L

# The state of R's generator; it is made if there is none yet.
random_state <- function() {
  if (!exists(".Random.seed", globalenv(), inherits = FALSE)) stats::runif(1)
  get(".Random.seed", globalenv(), inherits = FALSE)
}

set_random_state <- function(state) assign(".Random.seed", state, envir = globalenv())

# A source of batches that knows its way: `position()` is list(random, draws), the state of R's generator before the
# passes it counts, and how many batches were drawn in each of them. `go_to(position)` starts the same passes again and
# skips these batches; it returns the last one. Of sources of known length, only the running pass counts: it does not
# depend on those before. Functions of the user's are called as often as before.
replayable_batches <- function(batches) {
  random <- NULL
  draws <- integer()
  restart <- function() {
    if (!is.na(batches$steps) || is.null(random)) {
      random <<- random_state()
      draws <<- integer()
    }
    draws <<- c(draws, 0L)
    batches$restart()
  }
  next_batch <- function() {
    draws[[length(draws)]] <<- draws[[length(draws)]] + 1L
    batches$next_batch()
  }
  go_to <- function(position) {
    random <<- NULL
    set_random_state(position$random)
    last <- NULL
    for (count in position$draws) {
      restart()
      for (k in seq_len(count)) last <- next_batch() %||% last
    }
    last
  }
  list(steps = batches$steps, restart = restart, next_batch = next_batch, go_to = go_to,
       position = function() list(random = random, draws = draws))
}
