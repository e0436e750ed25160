package evaluate

// Observed returns the rows whose label is known, and how many others there are.
func (d Data) Observed() (Data, int) { panic("x") }

// InversePropensity returns the weight of an untreated row, 1/(1 − p), for the
// propensities p in [0, 1) with which rows could have been treated.
//
// Source: Horvitz and Thompson, 1952.
func InversePropensity(propensities []float64) ([]float64, error) { panic("x") }

// Binary judges scores of labels that are 0 or 1.
func Binary(d Data, o *Options) (*Report, error) { panic("x") }

// Regression judges scores of labels that are amounts.
func Regression(d Data, o *Options) (*Report, error) { panic("x") }

// Of returns one metric.
func Of(m Metric, d Data, o *Options) (Estimate, error) { panic("x") }

// Difference returns by how much a metric is higher for the challenger's scores than
// for d.Scores, on the same rows. Of the AUC that is DeLong's paired comparison.
func Difference(m Metric, d Data, challenger []float64, o *Options) (Estimate, error) { panic("x") }

// Classes are rows of several classes to judge.
type Classes struct {
	K             int       // classes, at least 2
	Probabilities []float64 // rows × K, row by row
	Labels        []int     // the class that happened, in [0, K)
	Weights       []float64 // as in [Data]
	Clusters      []uint64  // as in [Data]
}

// Multiclass judges probabilities of several classes.
func Multiclass(c Classes, o *Options) (*Report, error) { panic("x") }

// A Dimension cuts rows into slices by a value of each row.
type Dimension struct {
	Name   string
	Values []string // one for each row
}

// SliceOptions say which slices are judged. The zero value is good.
type SliceOptions struct {
	Metrics []Metric // nil means AUC, log loss and Brier score
	MinRows int64    // that a slice needs; 0 means 100
}

// A Slice is what there is to say about the rows that have one value.
type Slice struct {
	Dimension string          `json:"dimension"`
	Value     string          `json:"value"`
	Rows      int64           `json:"rows"`
	Metrics   []SliceMeasured `json:"metrics,omitempty"`
	Missing   []Missing       `json:"missing,omitempty"` // inconclusive, not a pass
}

// A SliceMeasured is a metric of a slice. Its intervals hold for all slices at once.
type SliceMeasured struct {
	Measured
	Gap         *Estimate `json:"gap,omitempty"` // by how much it is above that of all other rows
	P           float64   `json:"p"`             // that chance gives such a gap, after Holm's correction
	Significant bool      `json:"significant"`
}

// BySlice judges every slice of every dimension.
func BySlice(d Data, dimensions []Dimension, s *SliceOptions, o *Options) ([]Slice, error) {
	panic("x")
}

// A Parity says how differently a decision treats the groups of a dimension.
type Parity struct {
	Dimension string  `json:"dimension"`
	Threshold float64 `json:"threshold"`
	Groups    []Group `json:"groups"`
	// DemographicParity is the largest difference of two selection rates.
	DemographicParity *Estimate `json:"demographicParityDifference,omitempty"`
	// ParityRatio is the lowest selection rate over the highest.
	ParityRatio *Estimate `json:"demographicParityRatio,omitempty"`
	// EqualisedOdds is the largest difference of two true or two false positive rates.
	EqualisedOdds *Estimate `json:"equalisedOddsDifference,omitempty"`
	Missing       []Missing `json:"missing,omitempty"`
}

// A Group has the rates of the rows with one value.
type Group struct {
	Value         string    `json:"value"`
	Rows          int64     `json:"rows"`
	SelectionRate *Estimate `json:"selectionRate,omitempty"`
	TruePositive  *Estimate `json:"truePositiveRate,omitempty"`
	FalsePositive *Estimate `json:"falsePositiveRate,omitempty"`
}

// Fairness compares the groups of a dimension at a threshold. Groups with fewer than
// minRows rows are inconclusive and left out.
func Fairness(d Data, by Dimension, threshold float64, minRows int64, o *Options) (*Parity, error) {
	panic("x")
}

// A Sketch judges any number of rows in bounded memory. Sketches of parts can be
// merged in any order. The zero value is ready for use.
type Sketch struct{}

// NewSketch returns an empty sketch; grouped says that rows come in clusters.
func NewSketch(grouped bool, thresholds ...float64) *Sketch { panic("x") }

// Add adds rows.
func (s *Sketch) Add(d Data) error { panic("x") }

// Merge adds what other has seen.
func (s *Sketch) Merge(other *Sketch) error { panic("x") }

// Report returns what the rows so far give.
func (s *Sketch) Report(o *Options) (*Report, error) { panic("x") }

// MarshalBinary returns the state.
func (s *Sketch) MarshalBinary() ([]byte, error) { panic("x") }

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *Sketch) UnmarshalBinary(data []byte) error { panic("x") }
