package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// The command calls itself for each training; in tests it calls the test.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-job" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestWrongUsage(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{name: "no rows", args: []string{"-rows", "0"}, want: "-rows is at least 100, -rounds and -seeds 1"},
		{name: "an argument", args: []string{"now"}, want: `unknown argument "now"`},
		{name: "an unknown flag", args: []string{"-row", "1"}, want: "flag provided but not defined: -row"},
		{name: "nothing to compare with", args: []string{"-peer", ""}, want: "there is no Python to compare with: .ci/peers installs one"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := parse(tc.args, io.Discard); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestOurSideOfAJob(t *testing.T) {
	s := settings{dir: t.TempDir()}
	train, err := s.generate("train", 5000, 1)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.generate("train", 5000, 1); err != nil || again != train {
		t.Errorf("generated again: %s, %v", again, err)
	}
	j := job{Train: train, Holdout: train, Label: "label", Threads: 1, Features: featureNames(),
		Params: map[string]string{"objective": "binary", "num_iterations": "5"},
		Model:  filepath.Join(s.dir, "model.txt"), Scores: filepath.Join(s.dir, "scores")}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	s.job = string(text)
	var out bytes.Buffer
	if err := runJob(t.Context(), s, &out); err != nil {
		t.Fatal(err)
	}
	var r result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.TrainWall <= 0 || r.LoadWall <= 0 {
		t.Errorf("got %s, %v", out.Bytes(), err)
	}
	labels, err := readLabels(t.Context(), train, "label")
	if err != nil {
		t.Fatal(err)
	}
	scores, err := readScores(j.Scores)
	if err != nil {
		t.Fatal(err)
	}
	if auc := areaUnderCurve(labels, scores); auc < 0.7 {
		t.Errorf("the AUC of the training rows is %v", auc)
	}
}

func TestMetrics(t *testing.T) {
	labels, scores := []float64{0, 1, 1, 0}, []float64{-1, 2, -0.5, -0.5}
	for _, test := range []struct {
		name      string
		got, want float64
	}{
		{"area", areaUnderCurve(labels, scores), 3.5 / 4},
		{"root mean square", rootMeanSquare(labels, scores), math.Sqrt((1 + 1 + 2.25 + 0.25) / 4)},
		{"mean absolute", meanAbsolute(labels, scores), (1 + 1 + 1.5 + 0.5) / 4},
		{"pinball", pinball(0.7, labels, scores), (0.7 + 0.3 + 1.05 + 0.35) / 4},
		{"log loss", logLoss(labels, scores), (math.Log1p(math.Exp(-1)) + math.Log1p(math.Exp(-2)) + math.Log1p(math.Exp(0.5)) + math.Log1p(math.Exp(-0.5))) / 4},
		{"log loss of classes", logLossOf(2, []float64{1, 0}, []float64{0, 0, math.Log(3), 0}), (math.Log(2) + math.Log(4.0/3)) / 2},
	} {
		if math.Abs(test.got-test.want) > 1e-12 {
			t.Errorf("%s: got %v, want %v", test.name, test.got, test.want)
		}
	}
}
