# Connectionist temporal classification: the loss of unaligned labels, and label sequences from predictions (level 2).

#' Labels without alignment
#'
#' For sequences whose labels come in order but without times, as in speech and handwriting (connectionist temporal
#' classification). `op_ctc_loss()` is minus the logarithm of the probability of the labels, over all ways to align them
#' with the time steps. `op_ctc_decode()` finds likely labels: `"greedy"` takes the best class of each step,
#' `"beam_search"` follows the `beam_width` most probable label sequences.
#'
#' Classes count from 0, and one of them, `mask_index`, stands for "no label here".
#'
#' @param target Labels, (batch, length), whole numbers.
#' @param output,inputs Logits, (batch, time, classes).
#' @param target_length,output_length,sequence_lengths How many labels and how many steps of each row count.
#' @param mask_index The class that stands for no label.
#' @param strategy `"greedy"` or `"beam_search"`.
#' @param beam_width How many label sequences are followed.
#' @param top_paths How many are returned (1 if greedy).
#' @param merge_repeated Whether a label that is the best at several steps in a row counts once (greedy).
#' @return `op_ctc_loss()`: a tensor (batch). `op_ctc_decode()`: a list of the labels, int32 (top_paths, batch, time)
#'   with -1 after the end, and their scores, (batch, top_paths): logarithms of probabilities; if greedy, minus the sum
#'   of the largest logits. `op_ctc_decode()` looks at numbers: it cannot be part of a functional model.
#' @source <https://keras.io/api/ops/nn/#ctcloss-function>
#' @family ops
#' @export
#' @examples
#' logits <- array(c(1, 0, 0, 2, 0, 1, 0, 0, 3, 0, 2, 0), c(1, 4, 3))
#' op_ctc_loss(matrix(c(1, 2), 1), logits, target_length = 2, output_length = 4)
#' op_ctc_decode(logits, sequence_lengths = 4)[[1]]
op_ctc_loss <- function(target, output, target_length, output_length, mask_index = 0L) {
  inputs <- list(
    as_operand(as_operand(target), "int32"), as_float_operand(output), lengths_operand(target_length),
    lengths_operand(output_length)
  )
  apply_op("ctc_loss", inputs, list(mask_index = check_whole(mask_index, min = 0)))
}

lengths_operand <- function(x) as_operand(if (is_tensor_like(x)) x else array(x, length(x)), "int32")

#' @rdname op_ctc_loss
#' @export
op_ctc_decode <- function(inputs, sequence_lengths, strategy = "greedy", beam_width = 100L, top_paths = 1L,
                          merge_repeated = TRUE, mask_index = 0L) {
  check_choice(strategy, c("greedy", "beam_search"))
  beam_width <- check_whole(beam_width, min = 1)
  top_paths <- check_whole(top_paths, min = 1, max = beam_width)
  blank <- check_whole(mask_index, min = 0)
  logits <- as_float_operand(inputs)
  if (tensor_rank(logits) != 3L) {
    birnn_abort("{.arg inputs} must be logits (batch, time, classes), not of shape {format_shape(tensor_shape(logits))}.",
                kind = "shape")
  }
  dtype <- tensor_dtype(logits)
  logits <- as.array(if (strategy == "greedy") logits else op_log_softmax(logits))
  steps <- check_step_counts(as.integer(as.array(as_tensor(sequence_lengths))), dim(logits))
  rows <- lapply(seq_len(nrow(logits)), function(b) {
    scores <- matrix(logits[b, seq_len(steps[[b]]), ], steps[[b]])
    if (strategy == "greedy") list(best_labels(scores, blank, check_flag(merge_repeated)))
    else search_beam(scores, beam_width, top_paths, blank)
  })
  decoded_rows(rows, if (strategy == "greedy") 1L else top_paths, ncol(logits), dtype)
}

check_step_counts <- function(steps, sizes, call = rlang::caller_env()) {
  if (length(steps) == sizes[[1L]] && all(!is.na(steps) & steps >= 0L & steps <= sizes[[2L]])) return(steps)
  birnn_abort("{.arg sequence_lengths} must hold {sizes[[1]]} number{?s} from 0 to {sizes[[2]]}.", kind = "shape",
              call = call)
}

# `scores`: (time, classes).
best_labels <- function(scores, blank, merge_repeated) {
  if (nrow(scores) == 0L) return(list(labels = integer(), score = 0))
  best <- max.col(scores, ties.method = "first")
  score <- -sum(scores[cbind(seq_along(best), best)])
  if (merge_repeated) best <- best[c(TRUE, best[-1L] != best[-length(best)])]
  list(labels = best[best != blank + 1L] - 1L, score = score)
}

# Every label sequence is kept with the log probabilities that it ends with a blank and that it ends with a label.
search_beam <- function(scores, beam_width, top_paths, blank) {
  beam <- list(keys = "", labels = list(integer()), by_blank = 0, by_label = -Inf)
  for (t in seq_len(nrow(scores))) beam <- narrow_beam(widen_beam(beam, scores[t, ], blank), beam_width)
  total <- log_plus(beam$by_blank, beam$by_label)
  kept <- order(total, decreasing = TRUE)[seq_len(min(top_paths, length(total)))]
  lapply(kept, function(k) list(labels = beam$labels[[k]], score = total[[k]]))
}

log_plus <- function(a, b) {
  high <- pmax(a, b)
  ifelse(high == -Inf, -Inf, high + log1p(exp(pmin(a, b) - high)))
}

widen_beam <- function(beam, score, blank) {
  total <- log_plus(beam$by_blank, beam$by_label)
  last <- vapply(beam$labels, function(labels) if (length(labels)) labels[[length(labels)]] else -1L, 1L)
  by_label <- ifelse(last >= 0L, beam$by_label + score[last * (last >= 0L) + 1L], -Inf)
  stays <- list(keys = beam$keys, labels = beam$labels, by_blank = total + score[[blank + 1L]], by_label = by_label)
  classes <- setdiff(seq_along(score) - 1L, blank)
  grown <- expand.grid(class = classes, from = seq_along(total))
  # The same label again is a new one only after a blank.
  before <- ifelse(grown$class == last[grown$from], beam$by_blank[grown$from], total[grown$from])
  grown$value <- before + score[grown$class + 1L]
  keys <- paste0(beam$keys[grown$from], ",", grown$class)
  known <- match(keys, stays$keys)
  found <- !is.na(known)
  stays$by_label[known[found]] <- log_plus(stays$by_label[known[found]], grown$value[found])
  new <- which(!found)
  list(
    keys = c(stays$keys, keys[new]),
    labels = c(stays$labels, Map(function(from, class) c(beam$labels[[from]], class), grown$from[new], grown$class[new])),
    by_blank = c(stays$by_blank, rep(-Inf, length(new))), by_label = c(stays$by_label, grown$value[new])
  )
}

narrow_beam <- function(beam, width) {
  kept <- order(log_plus(beam$by_blank, beam$by_label), decreasing = TRUE)
  lapply(beam, `[`, kept[seq_len(min(width, length(kept)))])
}

decoded_rows <- function(rows, paths, time, dtype) {
  labels <- array(-1L, c(paths, length(rows), time))
  scores <- matrix(-Inf, length(rows), paths)
  for (b in seq_along(rows)) {
    for (k in seq_along(rows[[b]])) {
      found <- rows[[b]][[k]]
      labels[k, b, seq_along(found$labels)] <- found$labels
      scores[b, k] <- found$score
    }
  }
  list(as_tensor(labels, "int32"), as_tensor(scores, dtype))
}
