package pipeline

import (
	"slices"

	"headgate/internal/strictyaml"
)

func (c *Config) readTraining(v strictyaml.Value) {
	t := &Training{Trainer: TrainerGBDT, Timeout: Duration(DefaultTimeout), Windows: []int{0}, Calibrate: "platt", Leak: Leak{Threshold: DefaultLeak}}
	if c.amounts() {
		t.Calibrate = ""
	}
	c.Training = t
	fs, ok := v.Map("training", "trainer", "command", "taskQueue", "timeout", "parameters", "features", "windows", "valid", "calibrate", "folds", "seed", "leak")
	if !ok {
		return
	}
	t.readTrainer(v, fs)
	if v, ok := fs.Get("parameters"); ok {
		t.readParameters(v)
	}
	if v, ok := fs.Get("features"); ok {
		if t.Features = words("features", v); len(t.Features) == 0 {
			v.Problemf("features is empty; leave it out to learn from all features of the contract")
		}
	}
	if v, ok := fs.Get("windows"); ok {
		t.readWindows(v)
	}
	if v, ok := fs.Get("valid"); ok {
		t.Valid = int(between("valid", v, 0, maxBatches))
	}
	if v, ok := fs.Get("calibrate"); ok {
		t.Calibrate, _ = orNone("calibrate", v, "isotonic", "platt")
	}
	t.readFolds(c.Labels, fs)
	if v, ok := fs.Get("seed"); ok {
		t.Seed, _ = v.Int("seed")
	}
	if v, ok := fs.Get("leak"); ok {
		t.readLeak(v)
	}
}

// readFolds reads over how many folds the calibration is cross-fitted. The built-in
// trainer does so by itself where clusters divide the rows, of which there are few.
func (t *Training) readFolds(l *Labels, fs strictyaml.Fields) {
	v, ok := fs.Get("folds")
	if !ok {
		if l != nil && l.Cluster != "" && t.Trainer == TrainerGBDT && t.Calibrate != "" {
			t.Folds = DefaultFolds
		}
		return
	}
	t.Folds = int(between("folds", v, 0, maxFolds))
	switch {
	case t.Folds == 0:
	case t.Folds == 1:
		v.Problemf("folds is 1, and a model is calibrated by what others say that did not see the rows; it takes 2 or more, or 0 for a part of its own")
	case t.Calibrate == "":
		v.Problemf("folds are for the calibration, and calibrate is none")
	case t.Trainer == TrainerTaskQueue:
		v.Problemf("folds train a model each, and a trainer on a task queue is asked for one; leave folds out, or calibrate in the trainer")
	}
}

// readTrainer reads who trains, and what only that trainer needs.
func (t *Training) readTrainer(of strictyaml.Value, fs strictyaml.Fields) {
	if v, ok := fs.Get("trainer"); ok {
		t.Trainer, _ = v.OneOf("trainer", TrainerGBDT, TrainerCommand, TrainerTaskQueue)
	}
	if v, ok := fs.Get("command"); ok {
		list, _ := v.List("command")
		for _, e := range list {
			if s, ok := e.Text("an entry of command"); ok {
				t.Command = append(t.Command, s)
			}
		}
		if len(list) == 0 {
			v.Problemf("command is empty; name a program and its arguments, as in [python, train.py]")
		}
	}
	if v, ok := fs.Get("taskQueue"); ok {
		t.TaskQueue, ok = v.Str("taskQueue")
		if ok && t.TaskQueue == "" {
			v.Problemf("taskQueue is empty")
		}
	}
	for _, trainer := range []string{TrainerCommand, TrainerTaskQueue} {
		switch {
		case fs.Has(trainer) && t.Trainer != trainer:
			fs.Key(trainer).Problemf("%s is of another trainer; set trainer: %s, or leave it out", trainer, trainer)
		case !fs.Has(trainer) && t.Trainer == trainer:
			of.Problemf("trainer %s needs %s", trainer, trainer)
		}
	}
	if v, ok := fs.Get("timeout"); ok {
		if t.Timeout = duration("timeout", v); t.Timeout <= 0 {
			v.Problemf("timeout must be above 0: a training that takes longer is ended")
		}
	}
}

func (t *Training) readParameters(v strictyaml.Value) {
	fs, ok := v.AnyMap("parameters")
	if !ok {
		return
	}
	t.Parameters = map[string]string{}
	for _, name := range fs.Names() {
		v, _ := fs.Get(name)
		if s, ok := v.Text("parameters." + name); ok {
			t.Parameters[name] = s
		}
	}
}

func (t *Training) readWindows(v strictyaml.Value) {
	t.Windows = nil
	list, ok := v.List("windows")
	for _, e := range list {
		n := int(between("an entry of windows", e, 0, maxBatches))
		if slices.Contains(t.Windows, n) {
			e.Problemf("windows has %d twice", n)
			continue
		}
		t.Windows = append(t.Windows, n)
	}
	if ok && len(list) == 0 {
		v.Problemf("windows is empty; name numbers of batches to learn from, of which 0 is all")
	}
}

func (t *Training) readLeak(v strictyaml.Value) {
	fs, ok := v.Map("leak", "threshold", "allow")
	if !ok {
		return
	}
	if v, ok := fs.Get("threshold"); ok {
		if t.Leak.Threshold = positive("leak.threshold", v); t.Leak.Threshold > 1 {
			v.Problemf("leak.threshold is an AUC, or a share of the variance, of at most 1, not %g", t.Leak.Threshold)
		}
	}
	if v, ok := fs.Get("allow"); ok {
		t.Leak.Allow = words("leak.allow", v)
	}
}

// words reads a list of different names.
func words(what string, v strictyaml.Value) []string {
	var all []string
	list, _ := v.List(what)
	for _, e := range list {
		s, ok := e.Str("an entry of " + what)
		switch {
		case !ok:
		case slices.Contains(all, s):
			e.Problemf("%s has %s twice", what, s)
		default:
			all = append(all, s)
		}
	}
	return all
}

// orNone reads one of a list, or none.
func orNone(what string, v strictyaml.Value, allowed ...string) (OrNone, bool) {
	s, ok := v.OneOf(what, slices.Concat(allowed, []string{none})...)
	if s == none {
		return "", ok
	}
	return OrNone(s), ok
}
