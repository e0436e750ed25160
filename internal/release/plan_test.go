package release

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPlan(t *testing.T) {
	people := []Person{{Name: "ann", Roles: []string{"owner"}}, {Name: "bob", Roles: []string{"risk"}, Key: "ssh-ed25519 A"}}
	tests := []struct {
		name string
		set  Settings
		want string // or a part of the error
		bad  bool
	}{
		{name: "the default", set: canary(), want: "shadow 1-3, 10% 1-3, 100% 0-0, watch 2-2"},
		{name: "a longer canary", set: strategies["longer"], want: "shadow 1-3, 10% 2-4, 25% 2-4, 100% 0-0, watch 2-2"},
		{name: "two colours", set: strategies["blueGreen"], want: "shadow 1-3, idle 1-3, 100% 0-0, watch 2-2"},
		{name: "two arms", set: strategies["ab"], want: "shadow 1-3, 50% 2-4, 100% 0-0, watch 2-2"},
		{name: "shadow only", set: strategies["shadow"], want: "shadow 1-3"},
		{name: "all at once", set: strategies["allAtOnce"], want: "shadow 1-3, 100% 0-0, watch 2-2"},
		{name: "a person alone decides", set: strategies["alone"], want: "shadow 0-0, 100%? 0-0, watch 2-2"},
		{name: "a person lets a canary begin that no shadow has judged", set: with(func(s *Settings) { s.Shadow = 0 }), want: "shadow 0-0, 10%? 1-3, 100% 0-0, watch 2-2"},
		{name: "a person lets a colour begin that no shadow has judged", set: with(func(s *Settings) { s.Strategy, s.Steps, s.Shadow = StrategyBlueGreen, nil, 0 }), want: "shadow 0-0, idle? 1-3, 100% 0-0, watch 2-2"},
		{name: "nothing to watch", set: with(func(s *Settings) { s.Watch = 0 }), want: "shadow 1-3, 10% 1-3, 100% 0-0"},
		{name: "approvals", set: strategies["approve"], want: "shadow 1-3, 10%? 1-3, 100%? 0-0, watch 2-2"},
		{name: "half a percent", set: with(func(s *Settings) { s.Steps = []int{50, Whole} }), want: "shadow 1-3, 0.5% 1-3, 100% 0-0, watch 2-2"},

		{name: "no strategy", set: with(func(s *Settings) { s.Strategy = "rolling" }), want: `"rolling" is none of`, bad: true},
		{name: "no way to fail", set: with(func(s *Settings) { s.OnFail = "" }), want: "onFail", bad: true},
		{name: "shares that shrink", set: with(func(s *Settings) { s.Steps = []int{1000, 500} }), want: "number 2 is 500", bad: true},
		{name: "a share over all", set: with(func(s *Settings) { s.Steps = []int{10_001} }), want: "number 1 is 10001", bad: true},
		{name: "a canary without steps", set: with(func(s *Settings) { s.Steps = nil }), want: "needs steps", bad: true},
		{name: "an arm without rows", set: with(func(s *Settings) { s.Strategy, s.Steps = StrategyAB, []int{Whole} }), want: "one arm is empty", bad: true},
		{name: "a shadow that never looks", set: with(func(s *Settings) { s.Strategy, s.Shadow = StrategyShadow, 0 }), want: "at least one", bad: true},
		{name: "steps without batches", set: with(func(s *Settings) { s.Batches = 0 }), want: "at least one", bad: true},
		{name: "a negative watch", set: with(func(s *Settings) { s.Watch = -1 }), want: "negative", bad: true},
		{name: "an approval of a step that is not there", set: with(func(s *Settings) { s.Approve = []string{"20%"} }), want: `no step "20%"`, bad: true},
		{name: "an approval of the shadow", set: with(func(s *Settings) { s.Approve = []string{"shadow"} }), want: `no step "shadow"`, bad: true},
		{name: "four eyes and two people", set: with(func(s *Settings) { s.Approve, s.FourEyes, s.People = []string{"100%"}, true, people }),
			want: "shadow 1-3, 10% 1-3, 100%? 0-0, watch 2-2"},
		{name: "four eyes, and one person has the role", set: with(func(s *Settings) {
			s.Approve, s.FourEyes, s.People, s.Role = []string{"100%"}, true, people, "risk"
		}), want: "needs 2 approvals, and 1 of the people", bad: true},
		{name: "signed, and nobody has a key", set: with(func(s *Settings) {
			s.Approve, s.Signed, s.People = []string{"100%"}, true, people[:1]
		}), want: "needs 1 approvals, and 0 of the people", bad: true},
		{name: "nobody may say the word that a candidate without a shadow needs", set: with(func(s *Settings) { s.Shadow, s.People, s.Role = 0, people, "boss" }),
			want: "needs 1 approvals, and 0 of the people", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			steps, err := Plan(tt.set)
			if tt.bad {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v %v, want an error with %q", steps, err, tt.want)
				}
				return
			}
			var parts []string
			for _, s := range steps {
				asks := ""
				if s.Approve {
					asks = "?"
				}
				parts = append(parts, fmt.Sprintf("%s%s %d-%d", s.Name, asks, s.Batches, s.Most))
			}
			if got := strings.Join(parts, ", "); err != nil || got != tt.want {
				t.Errorf("got %s %v, want %s", got, err, tt.want)
			}
		})
	}
}

// year returns batches that are scored on the first of their month, with labels two
// months later.
func year() []Calendar {
	var list []Calendar
	for m := time.January; m <= time.December; m++ {
		day := time.Date(2024, m, 1, 0, 0, 0, 0, time.UTC)
		list = append(list, Calendar{Batch: day.Format("2006-01"), Scored: day, Matured: day.AddDate(0, 2, -1)})
	}
	return list
}

func TestDates(t *testing.T) {
	july := time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		set     Settings
		learned string
		want    string
	}{
		{"the story of the retailer", canary(), "2024-05",
			"shadow 2024-06 until 2024-07-31, 10% 2024-08 until 2024-08-01, 100% until 2024-08-01, watch 2024-09 2024-10 until 2024-11-30"},
		{"a month that matured is scored again", canary(), "2024-04",
			"shadow 2024-05 until 2024-07-01, 10% 2024-08 until 2024-08-01, 100% until 2024-08-01, watch 2024-09 2024-10 until 2024-11-30"},
		{"nobody knows what it has learned", canary(), "",
			"shadow 2024-08 until 2024-09-30, 10% 2024-10 until 2024-10-01, 100% until 2024-10-01, watch 2024-11 2024-12 until 2025-01-31"},
		{"outcomes of two arms", strategies["ab"], "2024-05",
			"shadow 2024-06 until 2024-07-31, 50% 2024-08 2024-09 until 2024-10-31, 100% until 2024-10-31, watch 2024-11 2024-12 until 2025-01-31"},
		{"batches that nobody knows of yet", canary(), "2024-12", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			steps, err := Plan(tt.set)
			if err != nil {
				t.Fatal(err)
			}
			var parts []string
			for _, d := range Dates(steps, year(), tt.learned, july) {
				parts = append(parts, strings.Join(append([]string{d.Step.Name}, d.Batches...), " ")+" until "+d.End.Format(time.DateOnly))
			}
			if got := strings.Join(parts, ", "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
