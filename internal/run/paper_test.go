package run_test

import (
	"errors"
	"strings"
	"testing"

	"headgate/internal/run"
	"headgate/internal/store"
)

func inMemory(t *testing.T) *store.Bucket {
	t.Helper()
	b, err := store.Open(t.Context(), "mem://")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// change puts other bytes where an object is, as somebody with access to the store can.
func change(t *testing.T, b *store.Bucket, key, text string) {
	t.Helper()
	if err := errors.Join(b.Delete(t.Context(), key), b.Put(t.Context(), key, []byte(text))); err != nil {
		t.Fatal(err)
	}
}

func TestPapersAreNamedByTheirBytes(t *testing.T) {
	b := inMemory(t)
	want := run.History{Format: run.Format, Past: []run.Past{{Batch: "<2024-01>", Publication: 2}}}
	o, err := run.SaveJSON(t.Context(), b, "runs/x", "history.json", want)
	if err != nil || o.Key != "runs/x/history."+run.Short(o.Digest)+".json" || o.Size == 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	data, err := run.Load(t.Context(), b, o)
	if err != nil || string(data) != `{"format":1,"past":[{"batch":"<2024-01>","run":"","decision":"","publication":2}]}`+"\n" || store.DigestOf(data) != o.Digest || int64(len(data)) != o.Size {
		t.Errorf("%s, %v", data, err)
	}
	if again, err := run.SaveJSON(t.Context(), b, "runs/x", "history.json", want); err != nil || again != o {
		t.Errorf("saved again: %+v, %v", again, err)
	}
	var got run.History
	if err := run.LoadJSON(t.Context(), b, o, &got); err != nil || got.Past[0] != want.Past[0] {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAPaperThatIsNotWhatWasWritten(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string
	}{
		{"a digit was changed", `{"format":2}` + "\n", "was changed: its digest is sha256:"},
		{"it is gone", "", "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := inMemory(t)
			o, err := run.SaveJSON(t.Context(), b, "runs/x", "history.json", run.History{Format: run.Format})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Delete(t.Context(), o.Key); err != nil {
				t.Fatal(err)
			}
			if tt.text != "" {
				if err := b.Put(t.Context(), o.Key, []byte(tt.text)); err != nil {
					t.Fatal(err)
				}
			}
			for _, err := range []error{run.LoadJSON(t.Context(), b, o, new(run.History)), second(run.Load(t.Context(), b, o))} {
				var changed *run.DigestError
				if err == nil || !strings.Contains(err.Error(), o.Key) || !strings.Contains(err.Error(), tt.want) || (tt.text != "") != errors.As(err, &changed) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

func second(_ []byte, err error) error { return err }

// A field that this program does not know may change what the paper means.
func TestAFieldThatNobodyKnowsIsAnError(t *testing.T) {
	b := inMemory(t)
	d, err := run.SaveBlob(t.Context(), b, map[string]int{"format": 1, "hurry": 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.LoadBlob(t.Context(), b, d, new(run.History)); err == nil || !strings.Contains(err.Error(), `unknown field "hurry"`) || !strings.Contains(err.Error(), string(d)) {
		t.Errorf("got %v", err)
	}
}

func TestAPlanThatWasChanged(t *testing.T) {
	b := inMemory(t)
	d, err := run.SavePlan(t.Context(), b, &run.Plan{Format: run.Format, Pipeline: "retailer", Batch: "2024-01", Rows: 10})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := run.LoadPlan(t.Context(), b, "retailer", "2024-01", d); err != nil || p.Rows != 10 {
		t.Errorf("%+v, %v", p, err)
	}
	change(t, b, run.PlanKey("retailer", "2024-01", d), `{"format":1,"rows":11}`)
	var changed *run.DigestError
	if _, err := run.LoadPlan(t.Context(), b, "retailer", "2024-01", d); !errors.As(err, &changed) || changed.Want != d {
		t.Errorf("got %v", err)
	}
	if _, err := run.LoadPlan(t.Context(), b, "retailer", "2024-02", d); !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "plan of run "+run.Short(d)) {
		t.Errorf("another batch: %v", err)
	}
}
