// Package gbdt trains gradient-boosted decision trees as LightGBM does, and
// writes them in LightGBM's text format: LightGBM loads the file and predicts
// what this package's model predicts, and so does internal/model/lightgbm.
//
// Start with [ParseParams], [Load] and [Train]. It reads Arrow records and knows
// nothing of files, clocks and schedulers.
//
// Equal rows, parameters and seed give equal bytes, on any number of threads and
// on any processor, and also when a training was stopped and resumed in between.
// For that, a histogram adds integers and not doubles: the gradients of a round
// are rounded to multiples of a power of two, of which the largest is below 2¹⁸
// (2³⁶ where the second derivative is the same for all rows), and a sum of
// integers does not depend on the order. Only the choice of splits rests on these
// sums: leaf values come from the gradients as they were.
//
// # Memory
//
// A value takes one byte, or two of a feature with more than 255 categories. To that
// add, for each row, 4 bytes for the label, 4 for a weight if there are any, 8 for row
// numbers (12 with bags), 24 for the gradients as they are, rounded, and in the order
// of a leaf, and 8 for the score of each class (and 8 more if there are several): 44
// bytes or more. A validation part has its bins, labels, weights and scores. A
// histogram has 8 or 16 bytes for each bin, and there is one for each leaf. While
// [Load] looks for bins it holds 8 bytes for each value of up to
// bin_construct_sample_cnt rows.
//
// # What is not as in LightGBM
//
// The random draws differ, so bags and feature subsets do. A numeric feature has a
// bin for missing values if any row misses it, not only a sampled one. A
// categorical feature keeps at most 65,535 categories apart. Infinite values are
// refused. Gains below the rounding
// errors of doubles are zero. Features are never bundled, for bundles change no tree.
// As in LightGBM, a histogram does not count rows: min_data_in_leaf holds for the
// number that the second derivatives suggest.
//
// Source: Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision
// Tree", 2017; Shi et al., "Quantized Training of Gradient Boosting Decision
// Trees", 2022; LightGBM 4.6.0's documentation of its parameters.
package gbdt
