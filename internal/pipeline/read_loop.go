package pipeline

import (
	"slices"
	"time"

	"headgate/internal/gate"
	"headgate/internal/release"
	"headgate/internal/strictyaml"
)

// The defaults of the closed loop.
const (
	DefaultPoll      = time.Hour
	DefaultLabelWait = 14 * 24 * time.Hour
	DefaultThreshold = 0.5
	DefaultTimeout   = 12 * time.Hour
	DefaultLeak      = 0.99
	DefaultFolds     = 5    // where clusters divide the rows, else none
	DefaultFall      = 0.02 // of a metric between 0 and 1 that is better if it is larger
	DefaultCooldown  = 3
	DefaultBudget    = 12
	DefaultShadow    = 3
	DefaultWatch     = 2
	DefaultExtend    = 2
	DefaultExpire    = 7 * 24 * time.Hour
)

// maxBatches is how many batches a setting can name.
const maxBatches = 1_000

// maxFolds is how many models a calibration can take.
const maxFolds = 20

// The trainers.
const (
	TrainerGBDT      = "gbdt"
	TrainerCommand   = "command"
	TrainerTaskQueue = "taskQueue"
)

// fallMetrics are the metrics whose fall can start a training.
var fallMetrics = []string{"auc", "prAUC", "logLoss", "brier", "rmse", "mae"}

// readLoop reads what closes the loop, and checks one part against the others.
func (c *Config) readLoop(fs strictyaml.Fields) {
	if v, ok := fs.Get("labels"); ok {
		c.readLabels(v)
		c.Gates = gate.Default()
	}
	if v, ok := fs.Get("gates"); ok {
		if p, ok := gate.Read(v); ok {
			c.Gates = p
		}
	}
	if v, ok := fs.Get("training"); ok {
		c.readTraining(v)
	}
	if v, ok := fs.Get("retrain"); ok {
		c.readRetrain(v)
	}
	if v, ok := fs.Get("release"); ok {
		c.readRelease(v)
	} else if c.Labels != nil {
		c.Release = c.defaultRelease(release.StrategyCanary)
	}
	c.checkLabels(fs)
	c.checkRetrain(fs)
	c.checkRelease(fs)
}

// amounts reports whether labels are amounts, which have no calibration.
func (c *Config) amounts() bool { return c.Gates != nil && c.Gates.Kind == gate.Regression }

// checkLabels finds parts that nothing can be said about without labels, and labels of
// which nobody can say when they are there.
func (c *Config) checkLabels(fs strictyaml.Fields) {
	for _, key := range []string{"retrain", "gates"} {
		if fs.Has(key) && !fs.Has("labels") {
			fs.Key(key).Problemf("%s needs labels: say where it is written what came true, as in labels: { files: \"labels/{batch}/*.parquet\", contract: labels.yaml }", key)
		}
	}
	if c.Labels != nil && c.Labels.Due == nil && c.Batch == Any {
		fs.Key("labels").Problemf("batches of the kind any have no date from which labels could fall due; add due, as in due: 44d")
	}
}

// checkRetrain finds demands of retrain that the training or the gates do not allow.
func (c *Config) checkRetrain(fs strictyaml.Fields) {
	r, t := c.Retrain, c.Training
	if r == nil {
		return
	}
	at := fs.Key("retrain")
	if t == nil {
		at.Problemf("retrain needs training: say how a challenger is learned; training: {} takes the defaults")
		return
	}
	if r.Budget < len(t.Windows) {
		at.Problemf("budget is %d challengers a year, and one training makes %d: one for each of training.windows", r.Budget, len(t.Windows))
	}
	if c.Gates != nil && r.Budget > c.Gates.Challengers {
		at.Problemf("budget is %d challengers a year, and gates.challengers spreads alpha over %d; raise that, or lower this", r.Budget, c.Gates.Challengers)
	}
	if r.Recalibrate && t.Calibrate == "" {
		at.Problemf("recalibrate needs a kind of calibration: set training.calibrate to isotonic or platt, or recalibrate to false")
	}
}

// checkRelease finds a release that has nothing to go by.
func (c *Config) checkRelease(fs strictyaml.Fields) {
	r := c.Release
	if r == nil {
		return
	}
	at := fs.Key("release")
	once := r.Strategy == release.StrategyAllAtOnce
	switch {
	case c.Labels == nil && !once:
		at.Problemf("release needs labels, which its candidates are judged by; only strategy allAtOnce goes without")
	case c.Labels == nil && len(r.Approve.Steps) == 0:
		at.Problemf("strategy allAtOnce without labels rests on a person's word alone; add approve: { steps: [100%%] }")
	}
	if c.Labels == nil && once && r.Shadow+r.Watch > 0 {
		at.Problemf("shadow and watch need labels, which they are judged by")
	}
	mixed := r.Strategy == release.StrategyAB || r.Strategy == release.StrategyCanary && len(r.Steps) > 1
	if mixed && c.Training != nil && c.Training.Calibrate == "" && !c.amounts() {
		at.Problemf("strategy %s puts scores of two models into one table, so they must be calibrated: set training.calibrate to isotonic or platt", r.Strategy)
	}
	if c.Gates == nil {
		return
	}
	if r.Shadow > c.Gates.Looks {
		at.Problemf("shadow is judged on %d batches, and gates.looks spreads alpha over %d; raise that, or lower this", r.Shadow, c.Gates.Looks)
	}
	if r.Watch > c.Gates.Reverse.Looks {
		at.Problemf("watch takes %d batches, and gates.reverse.looks spreads alpha over %d; raise that, or lower this", r.Watch, c.Gates.Reverse.Looks)
	}
}

func (c *Config) readLabels(v strictyaml.Value) {
	l := &Labels{Poll: Duration(DefaultPoll), Wait: Duration(DefaultLabelWait), Threshold: DefaultThreshold}
	c.Labels = l
	fs, ok := v.Map("labels", "files", "contract", "poll", "wait", "due", "threshold", "cluster")
	if !ok {
		return
	}
	if v, ok := fs.Need("files"); ok {
		if s, ok := v.Str("labels.files"); ok {
			if reason := checkPattern(s); reason != "" {
				v.Problemf("labels.files %q %s", s, reason)
			}
			l.Files = s
		}
	}
	if v, ok := fs.Need("contract"); ok {
		l.Contract = beside("labels.contract", v)
	}
	if v, ok := fs.Get("poll"); ok {
		if l.Poll = duration("poll", v); time.Duration(l.Poll) < time.Second {
			v.Problemf("poll must be 1s or more: files are looked for that often")
		}
	}
	if v, ok := fs.Get("wait"); ok {
		l.Wait = duration("wait", v)
	}
	if v, ok := fs.Get("due"); ok {
		due := duration("due", v)
		l.Due = &due
	}
	if v, ok := fs.Get("threshold"); ok {
		l.Threshold = number("threshold", v)
	}
	if v, ok := fs.Get("cluster"); ok {
		l.Cluster, _ = v.Str("cluster")
		if keep := c.Scores.Keep; l.Cluster != "" && !slices.Contains(keep, l.Cluster) {
			v.Problemf("cluster %q is not in scores.keep%s: the column must stand beside the scores to say which rows depend on each other", l.Cluster, strictyaml.Hint(l.Cluster, keep))
		}
	}
}

// number reads any number.
func number(what string, v strictyaml.Value) float64 {
	r, ok := v.Rat(what)
	if !ok {
		return 0
	}
	f, _ := r.Float64()
	return f
}

func (c *Config) readRetrain(v strictyaml.Value) {
	r := &Retrain{Drift: true, Metric: "auc", Fall: DefaultFall, Calibration: true, Cooldown: DefaultCooldown, Budget: DefaultBudget}
	if c.amounts() {
		r.Metric, r.Fall, r.Calibration = "", 0, false
	}
	r.Recalibrate = c.Training == nil || c.Training.Calibrate != ""
	c.Retrain = r
	fs, ok := v.Map("retrain", "drift", "metric", "fall", "calibration", "every", "cooldown", "budget", "recalibrate")
	if !ok {
		return
	}
	for key, to := range map[string]*bool{"drift": &r.Drift, "calibration": &r.Calibration, "recalibrate": &r.Recalibrate} {
		if v, ok := fs.Get(key); ok {
			*to, _ = v.Bool(key)
		}
	}
	r.readFall(fs)
	for key, limit := range map[string]struct {
		to *int
		lo int64
	}{"every": {&r.Every, 0}, "cooldown": {&r.Cooldown, 0}, "budget": {&r.Budget, 1}} {
		if v, ok := fs.Get(key); ok {
			*limit.to = int(between(key, v, limit.lo, maxBatches))
		}
	}
	if !r.Drift && r.Metric == "" && !r.Calibration && r.Every == 0 {
		v.Problemf("retrain has no trigger left: drift, metric, calibration and every are all off; leave the section out")
	}
}

// readFall reads the metric and by how much it may fall. Metrics have scales of their
// own, so that the default is one of shares only.
func (r *Retrain) readFall(fs strictyaml.Fields) {
	metric, given := fs.Get("metric")
	if given {
		var known bool
		if r.Metric, known = orNone("metric", metric, fallMetrics...); !known {
			return
		}
	}
	v, ok := fs.Get("fall")
	if ok {
		r.Fall = number("fall", v)
	}
	switch {
	case ok && r.Fall < 0:
		v.Problemf("fall must be 0 or more, not %g: it is by how much the metric is worse", r.Fall)
	case ok && r.Metric == "" && r.Fall > 0:
		fs.Key("fall").Problemf("fall is by how much metric may fall, and metric is none")
	case ok:
	case given && r.Metric == "":
		r.Fall = 0
	case given && r.Metric != "auc" && r.Metric != "prAUC":
		metric.Problemf("metric %s needs fall beside it: by how much it may become worse", r.Metric)
	}
}
