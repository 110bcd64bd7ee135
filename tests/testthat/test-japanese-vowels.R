# The main job over five seeds: as good as Keras with the same recipe.

test_that("five trainings on Japanese Vowels reach what Keras reaches", {
  skip_unless_all()
  recipe <- new.env()
  sys.source(system.file("recipes", "japanese-vowels.R", package = "birnn", mustWork = TRUE), recipe)
  data <- dataset_japanese_vowels()
  accuracy <- vapply(1:5, function(seed) recipe$recognize_speakers(data$train, data$test, seed)$accuracy, 0)
  expect_gte(min(accuracy), 0.945)
  expect_gte(mean(accuracy), 0.955)
})
