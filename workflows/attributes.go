package workflows

import (
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Search attributes, which make the list of workflows the inventory. A cluster must know
// them before the first run. Where it keeps visibility in SQL it has room for ten of type
// Keyword and three of type KeywordList in a namespace.
var (
	attrPipeline = temporal.NewSearchAttributeKeyKeyword("HeadgatePipeline")
	attrBatch    = temporal.NewSearchAttributeKeyKeyword("HeadgateBatch")
	attrModel    = temporal.NewSearchAttributeKeyKeyword("HeadgateModel")
	attrStage    = temporal.NewSearchAttributeKeyKeyword("HeadgateStage")
	attrVerdict  = temporal.NewSearchAttributeKeyKeyword("HeadgateVerdict")
	attrRelease  = temporal.NewSearchAttributeKeyKeyword("HeadgateRelease")
	attrWaits    = temporal.NewSearchAttributeKeyKeyword("HeadgateWaitingFor")

	attrServing = temporal.NewSearchAttributeKeyKeyword("HeadgateServing")       // who scores whom: "13072d0f 90%, 9f2c41d0 10%"
	attrDrift   = temporal.NewSearchAttributeKeyKeyword("HeadgateDrift")         // level: none, warn, trigger or inconclusive
	attrDrifted = temporal.NewSearchAttributeKeyKeywordList("HeadgateDrifted")   // columns that drifted
	attrWho     = temporal.NewSearchAttributeKeyKeywordList("HeadgateWaitingOn") // persons, or [anybody]
)

// anybody is who is waited for where the pipeline file names nobody.
const anybody = "anybody"

// A SearchAttribute is one that a cluster must know.
type SearchAttribute struct {
	Name string
	Type enums.IndexedValueType
}

// SearchAttributes lists the search attributes that a cluster must know.
func SearchAttributes() []SearchAttribute {
	var all []SearchAttribute
	for _, key := range []temporal.SearchAttributeKey{attrPipeline, attrBatch, attrModel, attrStage, attrVerdict, attrRelease, attrWaits,
		attrServing, attrDrift, attrDrifted, attrWho} {
		all = append(all, SearchAttribute{key.GetName(), key.GetValueType()})
	}
	return all
}

// A waiting is what the list says of what a workflow waits for, and on whom.
type waiting struct{ what, who bool }

// listedAs returns what the list says at the beginning of a run: a run that goes on with
// an empty history has the search attributes of the one before.
func listedAs(ctx workflow.Context) waiting {
	attributes := workflow.GetTypedSearchAttributes(ctx)
	return waiting{attributes.ContainsKey(attrWaits), attributes.ContainsKey(attrWho)}
}

// updates puts into the list what is waited for and on whom, "" and nobody take it out
// again. It returns nothing for what the list has never said.
func (w *waiting) updates(what string, who []string) (updates []temporal.SearchAttributeUpdate) {
	switch {
	case what != "":
		updates = append(updates, attrWaits.ValueSet(keyword(what)))
	case w.what:
		updates = append(updates, attrWaits.ValueUnset())
	}
	switch {
	case len(who) > 0:
		updates = append(updates, attrWho.ValueSet(who))
	case w.who:
		updates = append(updates, attrWho.ValueUnset())
	}
	w.what, w.who = what != "", len(who) > 0
	return updates
}

// maxKeyword is the longest value that SQL visibility keeps of a Keyword, in bytes.
const maxKeyword = 255

// keyword cuts a value so that every cluster takes it.
func keyword(text string) string { return cut(text, maxKeyword) }
