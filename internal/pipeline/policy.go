package pipeline

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"time"

	"headgate/internal/contract"
	"headgate/internal/strictyaml"
)

// The defaults of the policies.
const (
	DefaultWait     = 72 * time.Hour
	DefaultModerate = 0.1
	DefaultMajor    = 0.25
	DefaultAlpha    = 0.01
	DefaultMinRows  = 1_000
	DefaultBatches  = 3
	DefaultOf       = 4
)

// MaxOf is how far back the drift of batches is looked at.
const MaxOf = 12

// A Duration is written as a number and a unit: 30s, 15m, 72h, 3d.
type Duration time.Duration

// String returns the duration in its largest whole unit.
func (d Duration) String() string {
	for _, u := range durationUnits {
		if n := time.Duration(d); n != 0 && n%u.of == 0 {
			return strconv.FormatInt(int64(n/u.of), 10) + u.name
		}
	}
	return time.Duration(d).String()
}

// MarshalJSON writes the duration as it is written in the file.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	read, ok := parseDuration(text)
	if !ok {
		return fmt.Errorf("%q is no number and unit, as in 30m, 72h or 3d", text)
	}
	*d = read
	return nil
}

var durationUnits = []struct {
	name string
	of   time.Duration
}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}}

var durationRule = regexp.MustCompile(`^([0-9]{1,9})(ms|[dhms])$`)

func duration(what string, v strictyaml.Value) Duration {
	s, ok := v.Scalar()
	if !ok {
		v.Problemf("%s must be a number and a unit, as in 30m, 72h or 3d, not %s", what, v.Kind())
		return 0
	}
	d, ok := parseDuration(s)
	switch {
	case !ok:
		v.Problemf("%s must be a number and a unit, as in 30m, 72h or 3d, not %q", what, s)
	case time.Duration(d) > maxDuration:
		v.Problemf("%s is %s, longer than a year", what, s)
	}
	return d
}

// maxDuration is the longest time that a pipeline file can name.
const maxDuration = 366 * 24 * time.Hour

// parseDuration reads a number and a unit. What is longer than a year is a little more
// than one.
func parseDuration(s string) (Duration, bool) {
	parts := durationRule.FindStringSubmatch(s)
	if parts == nil {
		return 0, false
	}
	n, _ := strconv.ParseInt(parts[1], 10, 64)
	for _, u := range durationUnits {
		if u.name == parts[2] {
			return Duration(min(n, int64(maxDuration/u.of)+1) * int64(u.of)), true
		}
	}
	return 0, false
}

// readReferences reads where the sets are that relationships point to.
func (c *Config) readReferences(v strictyaml.Value) {
	fs, ok := v.AnyMap("references")
	if !ok {
		return
	}
	c.References = map[string]string{}
	for _, name := range fs.Names() {
		files, _ := fs.Get(name)
		s, ok := files.Str("references." + name)
		if !ok {
			continue
		}
		if reason := checkKeys(s); reason != "" {
			files.Problemf("references.%s %q %s", name, s, reason)
		}
		c.References[name] = s
	}
}

// MarshalJSON writes the fallback as it is written in the file.
func (f Fallback) MarshalJSON() ([]byte, error) {
	var score any = f.Score
	if f.Score == FallbackConstant {
		score = f.Value
	}
	return json.Marshal(struct {
		Score any        `json:"score"`
		For   []Unscored `json:"for,omitempty"`
	}{score, f.For})
}

// readFallback reads score: none, last or a number, and for whom.
func (c *Config) readFallback(v strictyaml.Value) {
	fs, ok := v.Map("fallback", "score", "for")
	if !ok {
		return
	}
	if score, ok := fs.Need("score"); ok {
		c.readFallbackScore(score)
	}
	c.Fallback.For = []Unscored{Quarantined}
	if v, ok := fs.Get("for"); ok {
		c.Fallback.For = nil
		list, _ := v.List("for")
		for _, e := range list {
			s, ok := e.OneOf("an entry of for", string(Quarantined), string(Vanished))
			if ok && !slices.Contains(c.Fallback.For, Unscored(s)) {
				c.Fallback.For = append(c.Fallback.For, Unscored(s))
			}
		}
		if len(list) == 0 {
			v.Problemf("for is empty; name quarantined, vanished, or both")
		}
	}
	if c.Fallback.Score == FallbackNone {
		c.Fallback.For = nil
	}
}

func (c *Config) readFallbackScore(v strictyaml.Value) {
	text, ok := v.Scalar()
	if !ok {
		v.Problemf("score must be none, last or a number, not %s", v.Kind())
		return
	}
	if v.Number() {
		if r, ok := v.Rat("score"); ok {
			c.Fallback.Score = FallbackConstant
			c.Fallback.Value, _ = r.Float64()
		}
		return
	}
	switch text {
	case string(FallbackNone), string(FallbackLast):
		c.Fallback.Score = FallbackScore(text)
	default:
		v.Problemf("score must be none, last or a number, not %q%s", text, strictyaml.Hint(text, []string{"none", "last"}))
	}
}

func (c *Config) readAsk(v strictyaml.Value) {
	fs, ok := v.Map("ask", "wait")
	if !ok {
		return
	}
	if v, ok := fs.Get("wait"); ok {
		c.Ask.Wait = duration("wait", v)
	}
}

func (c *Config) readDrift(v strictyaml.Value) {
	fs, ok := v.Map("drift", "reference", "moderate", "major", "alpha", "minRows", "batches", "of", "action")
	if !ok {
		return
	}
	d := &c.Drift
	if v, ok := fs.Get("reference"); ok {
		s, _ := v.OneOf("reference", string(ReferenceModel), string(ReferencePrevious), string(ReferenceLastYear))
		d.Reference = DriftReference(s)
	}
	if v, ok := fs.Get("action"); ok {
		d.Action = action("action", v)
	}
	for key, to := range map[string]*float64{"moderate": &d.Moderate, "major": &d.Major} {
		if v, ok := fs.Get(key); ok {
			*to = positive(key, v)
		}
	}
	if v, ok := fs.Get("alpha"); ok {
		if d.Alpha = positive("alpha", v); d.Alpha >= 1 {
			v.Problemf("alpha must be below 1: it is the share of false discoveries that is accepted")
		}
	}
	if v, ok := fs.Get("minRows"); ok {
		d.MinRows = between("minRows", v, 10, maxShardRows)
	}
	if v, ok := fs.Get("of"); ok {
		d.Of = int(between("of", v, 1, MaxOf))
	}
	if v, ok := fs.Get("batches"); ok {
		d.Batches = int(between("batches", v, 1, MaxOf))
	}
	if d.Major < d.Moderate {
		v.Problemf("major, which is %g, must not be smaller than moderate, which is %g", d.Major, d.Moderate)
	}
	if d.Batches > d.Of {
		v.Problemf("batches must not be more than of: %d of the last %d cannot be", d.Batches, d.Of)
	}
}

// readHistory reads the rules about earlier batches, each with an id of its own.
func (c *Config) readHistory(v strictyaml.Value) {
	list, _ := v.List("history")
	for _, e := range list {
		h, ok := contract.ReadHistory(e)
		if !ok {
			continue
		}
		if slices.ContainsFunc(c.History, func(o contract.History) bool { return o.ID == h.ID }) {
			e.Problemf("history has two rules with the id %s; give one of them another", h.ID)
			continue
		}
		c.History = append(c.History, h)
	}
}

func action(what string, v strictyaml.Value) Action {
	s, _ := v.OneOf(what, string(Record), string(Asks))
	return Action(s)
}

// positive reads a number above 0.
func positive(what string, v strictyaml.Value) float64 {
	r, ok := v.Rat(what)
	if !ok {
		return 0
	}
	if r.Cmp(new(big.Rat)) <= 0 {
		v.Problemf("%s must be above 0", what)
	}
	f, _ := r.Float64()
	return f
}

// Begin returns the first moment of a batch's period. ok is false if the name of the
// batch is no date.
func (c *Config) Begin(batch string) (begin time.Time, ok bool) {
	layout, dated := batchLayouts[c.Batch]
	if !dated {
		return time.Time{}, false
	}
	begin, err := time.Parse(layout, batch)
	return begin, err == nil
}

// Season returns the month of the year that a batch is of, "01" to "12", or "" if its
// name is no date.
func (c *Config) Season(batch string) string {
	begin, ok := c.Begin(batch)
	if !ok {
		return ""
	}
	return begin.Format("01")
}

// LastYear returns the batch of the same period a year before, or "" if the name of
// the batch is no date, or the day was not there in that year.
func (c *Config) LastYear(batch string) string {
	begin, ok := c.Begin(batch)
	if !ok {
		return ""
	}
	before := begin.AddDate(-1, 0, 0)
	if before.Day() != begin.Day() {
		return ""
	}
	return before.Format(batchLayouts[c.Batch])
}

// ReferenceFiles is [Config.Files] for a set that relationships point to.
func (c *Config) ReferenceFiles(name, batch string) (base, prefix string, match func(key string) bool) {
	return filesOf(c.References[name], batch)
}
