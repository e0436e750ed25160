//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"testing"

	"headgate/internal/drift"
	"headgate/internal/profile"
)

// shared is where the data are that we may not ship.
func shared() string {
	if dir := os.Getenv("HEADGATE_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "data")
}

// flightProfile returns the profile of months of flights.
func flightProfile(shared string, months ...string) (*profile.Profile, error) {
	b := profile.NewBuilder(nil)
	for _, month := range months {
		if err := readFlights(shared, month, b.Add); err != nil {
			return nil, err
		}
	}
	return b.Profile(), nil
}

// The recovery from the pandemic changed where flights went, with which planes; and
// summer the wind.
func TestFlightsOf2021HaveDriftedByJuly(t *testing.T) {
	ref, err := flightProfile(shared(), "2021-01", "2021-02", "2021-03")
	if err != nil {
		t.Fatal(err)
	}
	reported := map[string]string{}
	var levels []drift.Level
	for _, month := range []string{"2021-04", "2021-05", "2021-06", "2021-07"} {
		cur, err := flightProfile(shared(), month)
		if err != nil {
			t.Fatal(err)
		}
		r, err := drift.Compare(ref, cur, nil)
		if err != nil {
			t.Fatal(err)
		}
		levels = append(levels, r.Level)
		for _, c := range r.Columns {
			if c.Level == drift.Warn && reported[c.Name] == "" {
				reported[c.Name] = month
			}
		}
	}
	for _, name := range []string{"dest", "seats", "plane_year", "wind_speed"} {
		if reported[name] == "" {
			t.Errorf("the drift of %s is not reported by July", name)
		}
	}
	if !drift.Trigger(levels, 3, 4) {
		t.Errorf("got %v, which does not trigger", levels)
	}
}
