package metric

import (
	"strings"
	"time"
)

// Subject returns what a workflow is about, by its id: KIND/PIPELINE or
// KIND/PIPELINE/BATCH, which may go on. pipeline is "" if the id has another form, and
// batch if the workflow is about none. To the id of a slot, slot/PIPELINE, the scheduler
// adds a hyphen and when it is due: left there, every slot would be a pipeline of its own.
func Subject(workflowID string) (pipeline, batch string) {
	kind, rest, _ := strings.Cut(workflowID, "/")
	pipeline, rest, _ = strings.Cut(rest, "/")
	switch kind {
	case "slot":
		const due = "-" + "2006-01-02T15:04:05Z"
		if at := len(pipeline) - len(due); at > 0 {
			if _, err := time.Parse(due, pipeline[at:]); err == nil {
				pipeline = pipeline[:at]
			}
		}
	case "alert": // what follows is its fingerprint
	default:
		batch, _, _ = strings.Cut(rest, "/")
	}
	return pipeline, batch
}
