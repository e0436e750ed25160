package workflows

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A View is a question that the list of workflows answers.
type View struct {
	Name  string // one word, to ask for it
	Asks  string // the question, for people
	Query string // in Temporal's list filter language
	// Columns are the search attributes that answer it.
	Columns []string
}

// Views returns the views over a pipeline, or over all of them if it is "".
func Views(pipeline string) []View {
	running := `ExecutionStatus="Running"`
	views := []View{
		{"person", "What waits for a person, and for whom?", fmt.Sprintf("%s IS NOT NULL AND %s", attrWho.GetName(), running),
			[]string{attrWho.GetName(), attrWaits.GetName(), attrPipeline.GetName(), attrBatch.GetName()}},
		{"serving", "Which model has served which month?", fmt.Sprintf(`WorkflowType="ScoreBatch" AND %s IS NOT NULL`, attrServing.GetName()),
			[]string{attrPipeline.GetName(), attrBatch.GetName(), attrServing.GetName(), attrVerdict.GetName()}},
		{"release", "What does production use, and what is on its way there?", `WorkflowType="Release"`,
			[]string{attrPipeline.GetName(), attrServing.GetName(), attrRelease.GetName(), attrStage.GetName(), attrWaits.GetName(), attrVerdict.GetName()}},
		{"drift", "What has drifted, and how much?", fmt.Sprintf(`%s IN ("warn", "trigger")`, attrDrift.GetName()),
			[]string{attrPipeline.GetName(), attrBatch.GetName(), attrDrift.GetName(), attrDrifted.GetName(), attrVerdict.GetName()}},
		{"trouble", "What was blocked, is missing, or failed, or fails now?", fmt.Sprintf(`%s IN ("block", "missed", "failed") OR %s="%s" OR ExecutionStatus IN ("Failed", "TimedOut", "Terminated")`,
			attrVerdict.GetName(), attrWaits.GetName(), anotherTry), []string{attrPipeline.GetName(), attrBatch.GetName(), attrStage.GetName(), attrVerdict.GetName(), attrWaits.GetName()}},
		{"months", "How did each month go?", `WorkflowType="ScoreBatch"`,
			[]string{attrPipeline.GetName(), attrBatch.GetName(), attrStage.GetName(), attrVerdict.GetName(), attrServing.GetName(), attrDrift.GetName()}},
		{"labels", "Which months wait for their labels?", `WorkflowType="EvaluateBatch" AND ` + running,
			[]string{attrPipeline.GetName(), attrBatch.GetName(), attrStage.GetName(), attrWaits.GetName()}},
		{"training", "What was trained?", `WorkflowType="Retrain"`,
			[]string{attrPipeline.GetName(), attrBatch.GetName(), attrStage.GetName(), attrVerdict.GetName()}},
		{"missing", "Which months are missing, and which are waited for?", fmt.Sprintf(`WorkflowType="Slot" AND (%s="%s" OR %s)`, attrVerdict.GetName(), SlotMissed, running),
			[]string{attrPipeline.GetName(), attrBatch.GetName(), attrStage.GetName(), attrWaits.GetName(), attrVerdict.GetName()}},
		{"alerts", "Which alerts are open, and who must act?", `WorkflowType="Alert" AND ` + running,
			[]string{attrPipeline.GetName(), attrStage.GetName(), attrVerdict.GetName(), attrWaits.GetName()}},
	}
	if pipeline == "" {
		return views
	}
	for i, v := range views {
		views[i].Query = fmt.Sprintf(`%s="%s" AND (%s)`, attrPipeline.GetName(), pipeline, v.Query)
	}
	return views
}

// URL returns where a Temporal Web UI shows the view.
func (v View) URL(ui, namespace string) string {
	return fmt.Sprintf("%s/namespaces/%s/workflows?%s", strings.TrimSuffix(ui, "/"), url.PathEscape(namespace), url.Values{"query": {v.Query}}.Encode())
}

// view returns the view of a name.
func view(name, pipeline string) View {
	views := Views(pipeline)
	return views[slices.IndexFunc(views, func(v View) bool { return v.Name == name })]
}

// OpenAlerts returns the view over the alerts that are open.
func OpenAlerts(pipeline string) View { return view("alerts", pipeline) }

// WaitsOn returns the view over what waits for one person.
func WaitsOn(name, pipeline string) View {
	v := view("person", pipeline)
	v.Name, v.Asks = name, "What waits for "+name+"?"
	v.Query = strings.Replace(v.Query, attrWho.GetName()+" IS NOT NULL", fmt.Sprintf(`%s="%s"`, attrWho.GetName(), name), 1)
	return v
}
