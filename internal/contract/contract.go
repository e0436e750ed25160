package contract

import (
	"slices"
	"time"
)

// A Contract says what a batch must look like. It is read by [Parse] and not
// changed afterwards; it is safe for concurrent use.
type Contract struct {
	ID, Name, Version, Status string

	Table   string   // the name of the one object in schema
	Columns []Column // in the order of the file
	Keys    []string // primary key columns, by position
	Rules   []Rule   // column by column, then those of the table; each has its own ID
	Notes   []Note   // what the contract says and nothing here enforces

	Relationships []Relationship         // foreign keys; each has a rule of [KindRelationship]
	Promises      []Promise              // service levels that are judged: [Contract.JudgeTimes]
	History       []History              // comparisons with other batches: [Contract.JudgeHistory]
	Drift         map[string]DriftPolicy // by column in the file; absent means the pipeline's thresholds

	Labels *LabelPolicy // when labels are known; nil if the contract does not say

	// Compat is the older version of the standard that the contract is written in,
	// "3.0", or "" for 3.1. Notes say what is read in another way because of it.
	Compat string
}

// A Column is one property of the schema.
type Column struct {
	Name        string // in the Parquet file: physicalName, or else name
	LogicalName string // name
	Type        Type   // "" means any flat type
	Options     TypeOptions

	Required, Unique bool
	Key              int // position in the primary key from 1; 0 means not part of it

	Roles          []Role // mlRole
	Classification string // public, internal, confidential, restricted, or ""
	PII            string // piiKind, or ""
	Available      string // availableAt: the column that says when the value was known, or ""
}

// TypeOptions are the parts of logicalTypeOptions that say which physical types a
// column may have. The rest of the options are rules.
type TypeOptions struct {
	Format   string // i8 … u64, f32, f64 and string formats; "" means any
	Timezone *bool  // must timestamps be adjusted to UTC? nil means either
}

// Has reports whether the column has the role.
func (c Column) Has(r Role) bool { return slices.Contains(c.Roles, r) }

// Role returns the first role of the column, or "".
func (c Column) Role() Role {
	if len(c.Roles) == 0 {
		return ""
	}
	return c.Roles[0]
}

// Classified reports whether values of the column must not be shown to everybody:
// its classification is confidential or restricted, or it has none and a piiKind.
func (c Column) Classified() bool {
	return c.Classification == "confidential" || c.Restricted() || c.Classification == "" && c.PII != ""
}

// Restricted reports whether the column is restricted: its values never leave the
// input, but for keys.
func (c Column) Restricted() bool { return c.Classification == "restricted" }

// Later reports whether the column is known only after scoring, so that a batch
// may come without it: every one of its roles is label, prediction, treatment,
// propensity or weight, and it is no part of the primary key.
func (c Column) Later() bool {
	for _, r := range c.Roles {
		switch r {
		case RoleLabel, RolePrediction, RoleTreatment, RolePropensity, RoleWeight:
		default:
			return false
		}
	}
	return len(c.Roles) > 0 && c.Key == 0
}

// A Type is a logical type of the standard that a flat column can have.
type Type string

// The logical types. Arrays, objects and maps are refused.
const (
	String    Type = "string"
	Integer   Type = "integer"
	Number    Type = "number"
	Boolean   Type = "boolean"
	Date      Type = "date"
	Timestamp Type = "timestamp"
	Time      Type = "time"
)

// A LabelPolicy says when the labels of a batch are known, and what it means that there
// is none. It is our extension, written as custom properties of the object:
//
//	customProperties:
//	  - { property: labelWindow, value: 30d }
//	  - { property: labelSettlement, value: 14d }
//	  - { property: labelAbsence, value: negative }
//	  - { property: labelMarker, value: _COMPLETE }
type LabelPolicy struct {
	Window     time.Duration // after the batch's date in which the outcome counts
	Settlement time.Duration // after the window in which labels still arrive
	// Negative says that an entity without a label has the outcome 0. It holds only once
	// the marker is there; before, and if it is false, such an outcome is missing.
	Negative bool
	Marker   string // name of the object beside the label files which says that they are complete; empty: none is needed
}

// A Role says what a column is to a model. It is our extension, written as
//
//	customProperties:
//	  - { property: mlRole, value: feature }
//
// with one role or a list of them.
type Role string

// The roles.
const (
	RoleEntityKey  Role = "entityKey"  // whom the row is about
	RoleEventTime  Role = "eventTime"  // when the row was true
	RoleFeature    Role = "feature"    // a model may read it
	RoleLabel      Role = "label"      // what came true
	RoleWeight     Role = "weight"     // how much the row counts
	RoleSlice      Role = "slice"      // results are also given for each of its values
	RoleProtected  Role = "protected"  // results must be fair across its values
	RolePrediction Role = "prediction" // a score that someone else made
	RoleTreatment  Role = "treatment"  // what was done because of a score
	RolePropensity Role = "propensity" // the probability of that treatment
)

// A Severity says what a broken rule does.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // rows go to quarantine, or the batch is blocked
	Warning Severity = "warning" // counted and shown
	Info    Severity = "info"    // counted
)

// A Note is something in the contract that is documentation to us.
type Note struct {
	Line, Column int
	Text         string
}

// A Violation is a rule that a file or a batch breaks. Its message has names,
// counts and limits, and never a value of a row.
type Violation struct {
	Rule     string   `json:"rule"`
	Column   string   `json:"column,omitempty"`
	Severity Severity `json:"severity"`
	Count    int64    `json:"count"` // what was counted; 0 for a wrong type or a missing column
	Total    int64    `json:"total"` // rows looked at; 0 if none were
	Message  string   `json:"message"`
}

// Blocks reports whether any of the violations has severity error.
func Blocks(vs []Violation) bool {
	return slices.ContainsFunc(vs, func(v Violation) bool { return v.Severity == Error })
}

// Column returns the column of that name in the Parquet file.
func (c *Contract) Column(name string) (Column, bool) {
	for _, col := range c.Columns {
		if col.Name == name {
			return col, true
		}
	}
	return Column{}, false
}

// Entity returns the columns that name whom a row is about: those with the role
// entityKey, in the order of the contract, or else the primary key. Both may be
// missing; then it is empty.
func (c *Contract) Entity() []string {
	if names := c.WithRole(RoleEntityKey); len(names) > 0 {
		return names
	}
	return slices.Clone(c.Keys)
}

// Features returns the columns with the role feature, in the order of the contract.
func (c *Contract) Features() []string { return c.WithRole(RoleFeature) }

// WithRole returns the columns with a role, in the order of the contract.
func (c *Contract) WithRole(r Role) []string {
	var names []string
	for _, col := range c.Columns {
		if col.Has(r) {
			names = append(names, col.Name)
		}
	}
	return names
}

// Rule returns the rule with that id.
func (c *Contract) Rule(id string) (Rule, bool) {
	for _, r := range c.Rules {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}
