package gbdt

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"headgate/internal/model"
)

// small is a training whose checkpoint has numeric and categorical nodes, and what a
// fuzzer needs to resume it.
func small(tb testing.TB) (*Dataset, Params, []byte) {
	tb.Helper()
	p, err := ParseParams(map[string]string{"objective": "binary", "num_iterations": "3", "num_leaves": "4"})
	if err != nil {
		tb.Fatal(err)
	}
	c := Columns{Label: "y", Features: []model.Input{{Name: "city", Kind: model.Categorical}, {Name: "gaps"}}}
	d, err := Load(tb.Context(), stream(mixed(2000, 1)...), c, p, nil)
	if err != nil {
		tb.Fatal(err)
	}
	var kept []byte
	_, err = Train(tb.Context(), d, nil, p, &Options{Progress: func(at Progress) error {
		if at.Round != 2 {
			return nil
		}
		var err error
		kept, err = at.Checkpoint().Marshal()
		return err
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return d, p, kept
}

func TestCheckpointsThatDoNotFitAreRefused(t *testing.T) {
	d, p, kept := small(t)
	text := string(kept)
	for _, test := range []struct {
		name     string
		old, new string
		change   func(p *Params)
		want     string
	}{
		{name: "not a checkpoint", old: `{"checkpoint"`, new: `{"model"`, want: "its first line is no checkpoint's"},
		{name: "a format of the future", old: `"checkpoint":1`, new: `"checkpoint":2`, want: "its format is 2; only 1 is known"},
		{name: "truncated", old: text[strings.Index(text, "end of trees"):], want: "its model is truncated"},
		{name: "a tree is missing", old: "Tree=1\n", new: "Tree=2\n", want: "tree 1 is missing"},
		{name: "a tree too few", old: text[strings.Index(text, "Tree=1"):strings.Index(text, "end of trees")], want: "it has 1 trees, not those of 2 rounds"},
		{name: "other rows", old: `"rows":"sha256:`, new: `"rows":"sha256:0`, want: "it was made from other rows"},
		{name: "another validation part", old: `"validation":""`, new: `"validation":"sha256:0"`, want: "it was made from other rows"},
		{name: "a metric that is not measured", old: `"values":null`, new: `"values":[1,2]`, want: "it has 2 values of the metric for 2 rounds"},
		{name: "other parameters", change: func(p *Params) { p.LambdaL2 = 1 }, want: "it was made with other parameters"},
		{name: "fewer rounds", change: func(p *Params) { p.NumIterations = 1 }, want: "it is of round 2, and num_iterations is 1"},
		{name: "parameters that are not known", old: "[num_leaves: 4]", new: "[num_leafs: 4]", want: "parameter num_leafs: is not known"},
		{name: "a node without a feature", old: "split_feature=", new: "split_feature=9 ", want: "tree 0: split_feature= has not 3 integers"},
		{name: "no leaves", old: "leaf_value=", new: "leaf_values=", want: "tree 0: it has no leaf values"},
		{name: "a circle", old: "left_child=1", new: "left_child=0", want: "tree 0: node 0 is wrong"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(text, test.old) {
				t.Fatalf("%q is not in the checkpoint:\n%s", test.old, text)
			}
			p := p
			if test.change != nil {
				test.change(&p)
			}
			c, err := ParseCheckpoint([]byte(strings.Replace(text, test.old, test.new, 1)))
			if err == nil {
				_, err = Train(t.Context(), d, nil, p, &Options{Resume: c})
			}
			if !errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestMoreRoundsThanWereAskedForAtFirst(t *testing.T) {
	d, p, kept := small(t)
	c, err := ParseCheckpoint(kept)
	if err != nil {
		t.Fatal(err)
	}
	p.NumIterations = 6
	got, err := Train(t.Context(), d, nil, p, &Options{Resume: c})
	if err != nil {
		t.Fatal(err)
	}
	want, err := Train(t.Context(), d, nil, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Text, want.Text) {
		t.Error("a training that was prolonged gives another model than a long one")
	}
}

// Whatever a checkpoint says, a training that resumes it ends, with a model or an
// error.
func FuzzParseCheckpoint(f *testing.F) {
	d, p, kept := small(f)
	f.Add(kept)
	f.Add([]byte(`{"checkpoint":1,"round":1,"rows":"","validation":"","values":[1]}` + "\nTree=0\nend of trees\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCheckpoint(data)
		if err != nil {
			return
		}
		c.Rows = d.digest()
		if _, err := Train(t.Context(), d, nil, p, &Options{Threads: 1, Resume: c}); err != nil && !errors.Is(err, ErrCheckpoint) && !errors.Is(err, errOverflow) {
			t.Fatal(err)
		}
	})
}
