package pipeline

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"

	"headgate/internal/evaluate"
	"headgate/internal/gate"
)

// JSON returns the whole configuration as it could stand in the file, with its defaults,
// indented for people.
func (c *Config) JSON() []byte {
	type fields Config
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(struct {
		*fields
		Gates *writtenGates `json:"gates,omitempty"`
	}{(*fields)(c), writeGates(c.Gates)})
	if err != nil {
		panic(err) // strings and finite numbers
	}
	return out.Bytes()
}

// writtenGates is a policy as it is written in the file, see [gate.Policy].
type writtenGates struct {
	Kind        gate.Kind          `json:"kind"`
	Alpha       float64            `json:"alpha"`
	Challengers int                `json:"challengers"`
	Looks       int                `json:"looks"`
	Publish     gate.PublishPolicy `json:"publish"`
	Advance     writtenAdvance     `json:"advance"`
	Canary      gate.CanaryPolicy  `json:"canary"`
	Reverse     gate.ReversePolicy `json:"reverse"`
}

type writtenAdvance struct {
	Success     []evaluate.Metric       `json:"success"`
	Guardrails  map[evaluate.Metric]any `json:"guardrails"`
	Calibration any                     `json:"calibration"`
	Slices      []writtenSlice          `json:"slices,omitempty"`
	Rules       []gate.Rule             `json:"rules,omitempty"`
}

type writtenSlice struct {
	By         string          `json:"by"`
	Metric     evaluate.Metric `json:"metric"`
	Margin     any             `json:"margin"`
	Values     []string        `json:"values,omitempty"`
	MinRows    int64           `json:"minRows"`
	Pool       int             `json:"pool"`
	ReportOnly bool            `json:"reportOnly,omitempty"`
}

// writeGates returns what [gate.Read] would read as p.
func writeGates(p *gate.Policy) *writtenGates {
	if p == nil {
		return nil
	}
	a := writtenAdvance{Success: p.Advance.Success, Guardrails: map[evaluate.Metric]any{}, Calibration: none, Rules: p.Advance.Rules}
	for _, g := range p.Advance.Guardrails {
		a.Guardrails[g.Metric] = margin(g)
	}
	if p.Advance.Calibration != nil {
		a.Calibration = p.Advance.Calibration
	}
	for _, s := range p.Advance.Slices {
		a.Slices = append(a.Slices, writtenSlice{By: s.By, Metric: s.Metric, Margin: margin(s.Guardrail), Values: s.Values,
			MinRows: s.MinRows, Pool: s.Pool, ReportOnly: s.ReportOnly})
	}
	return &writtenGates{Kind: p.Kind, Alpha: p.Alpha, Challengers: p.Challengers, Looks: p.Looks, Publish: p.Publish,
		Advance: a, Canary: p.Canary, Reverse: p.Reverse}
}

// margin returns a number, or a share of the champion's metric as a percentage.
func margin(g gate.Guardrail) any {
	if !g.Relative {
		return g.Margin
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(g.Margin, 'g', -1, 64))
	if !ok {
		return g.Margin
	}
	text := r.Mul(r, big.NewRat(100, 1)).FloatString(6)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "%"
}
