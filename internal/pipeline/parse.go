package pipeline

import (
	"math/big"
	"path"
	"regexp"
	"slices"
	"strings"

	"headgate/internal/strictyaml"
)

// The defaults of what a file may leave out. The budget's default is no bad row.
const (
	DefaultCompression = "zstd"
	DefaultShardRows   = 500_000
	DefaultParallel    = 4
)

// Bounds of what a shard may be.
const (
	minShardRows = 1_000
	maxShardRows = 100_000_000
	maxParallel  = 256
)

var topKeys = []string{"pipeline", "description", "owner", "contract", "table", "input", "references", "batch", "scores",
	"quarantine", "fallback", "warnings", "ask", "drift", "history", "shards",
	"labels", "training", "retrain", "release", "gates", "schedule", "alerts"}

// nameRule is what a pipeline can be called: its name is a part of storage keys
// and workflow ids.
var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Parse reads a pipeline file and fills in the defaults. name stands before the
// line and column of every problem; the error is a [*strictyaml.Error] that lists
// all of them.
func Parse(name string, data []byte) (*Config, error) { return parse(name, data, false) }

// ParseKept is like Parse for a file that a registry has: what was in force once is read for
// ever, also if no new file may say so any more. Whoever reads it must be safe with it.
func ParseKept(name string, data []byte) (*Config, error) { return parse(name, data, true) }

func parse(name string, data []byte, kept bool) (*Config, error) {
	root, file, err := strictyaml.Open(name, data)
	if err != nil {
		return nil, err
	}
	c := &Config{
		Batch:  Month,
		Scores: Scores{Compression: DefaultCompression},
		Shards: Shards{Rows: DefaultShardRows, Parallel: DefaultParallel, OnFail: OnFailFail},

		Fallback: Fallback{Score: FallbackNone},
		Warnings: Record,
		Ask:      Ask{Wait: Duration(DefaultWait)},
		Drift: Drift{Reference: ReferenceModel, Moderate: DefaultModerate, Major: DefaultMajor, Alpha: DefaultAlpha,
			MinRows: DefaultMinRows, Batches: DefaultBatches, Of: DefaultOf, Action: Record},
		kept: kept,
	}
	c.read(root)
	if err := file.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Config) read(root strictyaml.Value) {
	fs, ok := root.Map("the pipeline file", topKeys...)
	if !ok {
		return
	}
	if v, ok := fs.Need("pipeline"); ok {
		c.Name, ok = v.Text("pipeline")
		if ok && !nameRule.MatchString(c.Name) {
			v.Problemf("pipeline %q must be 1 to 63 small letters, digits and dashes, and begin with no dash", c.Name)
		}
	}
	if v, ok := fs.Get("description"); ok {
		c.Description, _ = v.Text("description")
	}
	if v, ok := fs.Get("owner"); ok {
		c.Owner, _ = v.Text("owner")
	}
	if v, ok := fs.Need("contract"); ok {
		c.Contract = beside("contract", v)
	}
	if v, ok := fs.Get("table"); ok {
		c.Table, _ = v.Text("table")
	}
	if v, ok := fs.Need("input"); ok {
		c.readInput(v)
	}
	if v, ok := fs.Get("batch"); ok {
		s, _ := v.OneOf("batch", string(Month), string(Day), string(Any))
		c.Batch = BatchKind(s)
	}
	if v, ok := fs.Get("scores"); ok {
		c.readScores(v)
	}
	if v, ok := fs.Get("quarantine"); ok {
		c.readQuarantine(v)
	}
	if v, ok := fs.Get("shards"); ok {
		c.readShards(v)
	}
	c.readPolicies(fs)
}

// readPolicies reads what is decided when the whole batch has been read.
func (c *Config) readPolicies(fs strictyaml.Fields) {
	if v, ok := fs.Get("references"); ok {
		c.readReferences(v)
	}
	if v, ok := fs.Get("fallback"); ok {
		c.readFallback(v)
	}
	if v, ok := fs.Get("warnings"); ok {
		c.Warnings = action("warnings", v)
	}
	if v, ok := fs.Get("ask"); ok {
		c.readAsk(v)
	}
	if v, ok := fs.Get("drift"); ok {
		c.readDrift(v)
	}
	if v, ok := fs.Get("history"); ok {
		c.readHistory(v)
	}
	if v, ok := fs.Get("schedule"); ok {
		c.readSchedule(v)
	}
	c.readLoop(fs)
	if v, ok := fs.Get("alerts"); ok {
		c.readAlerts(v)
	}
}

// beside reads the path of a contract, which lies beside the pipeline file.
func beside(what string, v strictyaml.Value) string {
	s, ok := v.Str(what)
	if ok && (s == "" || path.IsAbs(s) || strings.Contains(s, "://") || strings.Contains(s, `\`)) {
		v.Problemf("%s %q must be a path beside the pipeline file, as in contract.yaml", what, s)
	}
	return s
}

func (c *Config) readInput(v strictyaml.Value) {
	fs, ok := v.Map("input", "files")
	if !ok {
		return
	}
	files, ok := fs.Need("files")
	if !ok {
		return
	}
	s, ok := files.Str("files")
	if !ok {
		return
	}
	if reason := checkPattern(s); reason != "" {
		files.Problemf("files %q %s", s, reason)
	}
	c.Input.Files = s
}

func (c *Config) readScores(v strictyaml.Value) {
	fs, ok := v.Map("scores", "contract", "keep", "compression")
	if !ok {
		return
	}
	if v, ok := fs.Get("contract"); ok {
		c.Scores.Contract = beside("scores.contract", v)
	}
	if v, ok := fs.Get("compression"); ok {
		c.Scores.Compression, _ = v.OneOf("compression", "zstd", "snappy", "none")
	}
	v, ok = fs.Get("keep")
	if !ok {
		return
	}
	list, _ := v.List("keep")
	for _, e := range list {
		s, ok := e.Str("an entry of keep")
		switch {
		case !ok:
		case slices.Contains(c.Scores.Keep, s):
			e.Problemf("keep has %s twice", s)
		default:
			c.Scores.Keep = append(c.Scores.Keep, s)
		}
	}
}

func (c *Config) readQuarantine(v strictyaml.Value) {
	fs, ok := v.Map("quarantine", "budget")
	if !ok {
		return
	}
	budget, ok := fs.Get("budget")
	if !ok {
		return
	}
	if !budget.IsMap() {
		c.Quarantine.Budget.Share = share("budget", budget)
		return
	}
	parts, ok := budget.Map("budget", "share", "rows")
	if !ok {
		return
	}
	if !parts.Has("share") && !parts.Has("rows") {
		budget.Problemf("budget needs share, rows, or both")
	}
	c.Quarantine.Budget.Share = 1
	if v, ok := parts.Get("share"); ok {
		c.Quarantine.Budget.Share = share("share", v)
	}
	if v, ok := parts.Get("rows"); ok {
		n, ok := v.Int("rows")
		if ok && n < 0 {
			v.Problemf("rows must be 0 or more, not %d", n)
		}
		if n == 0 {
			c.Quarantine.Budget.Share = 0
		}
		c.Quarantine.Budget.Rows = n
	}
}

// share reads a share in [0, 1], which may be written as a percentage: 1% is 0.01.
func share(what string, v strictyaml.Value) float64 {
	text, ok := v.Scalar()
	if !ok || v.IsNull() {
		v.Problemf("%s must be a share, as in 1%% or 0.01, not %s", what, v.Kind())
		return 0
	}
	digits, percent := strings.CutSuffix(text, "%")
	r, ok := strictyaml.ParseRat(strings.TrimSpace(digits))
	if !ok {
		v.Problemf("%s must be a share, as in 1%% or 0.01, not %q", what, text)
		return 0
	}
	if percent {
		r.Quo(r, big.NewRat(100, 1))
	}
	if r.Sign() < 0 || r.Cmp(big.NewRat(1, 1)) > 0 {
		hint := ""
		if !percent && r.Sign() > 0 && r.Cmp(big.NewRat(100, 1)) <= 0 {
			hint = "; did you mean " + text + "%?"
		}
		v.Problemf("%s is a share between 0 and 1, not %s%s", what, text, hint)
	}
	f, _ := r.Float64()
	return f
}

func (c *Config) readShards(v strictyaml.Value) {
	fs, ok := v.Map("shards", "rows", "parallel", "onFail")
	if !ok {
		return
	}
	if v, ok := fs.Get("rows"); ok {
		c.Shards.Rows = between("rows", v, minShardRows, maxShardRows)
	}
	if v, ok := fs.Get("parallel"); ok {
		c.Shards.Parallel = int(between("parallel", v, 1, maxParallel))
	}
	if v, ok := fs.Get("onFail"); ok {
		c.Shards.OnFail, _ = v.OneOf("onFail", OnFailFail, OnFailAsk)
	}
}

func between(what string, v strictyaml.Value, lo, hi int64) int64 {
	n, ok := v.Int(what)
	if ok && (n < lo || n > hi) {
		v.Problemf("%s must be between %d and %d, not %d", what, lo, hi, n)
	}
	return n
}
