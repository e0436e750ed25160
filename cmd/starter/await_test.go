package main

import (
	"slices"
	"testing"

	"go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/workflow/v1"
)

func TestTroublesAreToldOnce(t *testing.T) {
	full := &failurepb.Failure{Message: "no space left on device"}
	activity := func(id string, attempt int32, last *failurepb.Failure) *workflow.PendingActivityInfo {
		return &workflow.PendingActivityInfo{ActivityId: id, ActivityType: &common.ActivityType{Name: "Resolve"}, Attempt: attempt, LastFailure: last}
	}
	told := troubles{}
	for _, tt := range []struct {
		name    string
		pending []*workflow.PendingActivityInfo
		want    []string
	}{
		{"a first attempt that runs", []*workflow.PendingActivityInfo{activity("1", 1, nil)}, nil},
		{"a second attempt", []*workflow.PendingActivityInfo{activity("1", 2, full)}, []string{"Resolve failed, attempt 1, and is tried again: no space left on device"}},
		{"the same attempt", []*workflow.PendingActivityInfo{activity("1", 2, full)}, nil},
		{"a later attempt, and another activity", []*workflow.PendingActivityInfo{activity("1", 4, full), activity("2", 2, full)},
			[]string{"Resolve failed, attempt 3, and is tried again: no space left on device", "Resolve failed, attempt 1, and is tried again: no space left on device"}},
		{"nothing is pending", nil, nil},
	} {
		if got := told.lines(tt.pending); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
