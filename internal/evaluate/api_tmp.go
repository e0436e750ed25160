package evaluate

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
