// Package rowrule decides which rows of a table break a rule across their columns,
// written in the Common Expression Language (CEL), such as
//
//	discount <= price && (returned == null || returned >= ordered)
//
// [Compile] parses and checks a rule once against typed columns; the checked
// expression becomes vector kernels over Arrow arrays, which take a rule one
// operation and 1,024 rows at a time. CEL's own evaluator is never run. What the
// kernels cannot do is refused by name, so a rule that compiles is a rule that runs.
//
// # Meaning
//
// Values are CEL's: int has 64 bits, and overflow and division by zero fail in that
// row; double is IEEE 754, so every comparison with NaN but != is false. Unlike CEL,
// an int beside a double counts as a double in arithmetic and in ==.
//
// Null is SQL's: an operation with a null is null, && and || are three-valued, and
// x == null tests for it. Where null and a failure meet, null wins, as unknown does
// in CEL. A row breaks its rule if the rule is false or fails, and not if it is null.
//
// Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md.
package rowrule

import (
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"github.com/apache/arrow/go/v17/arrow"
)

// A Type is what a column is to a rule, in the words of ODCS.
type Type string

// The types. A date is the timestamp of its midnight in UTC, and a time of day the
// duration since midnight.
const (
	String    Type = "string"
	Integer   Type = "integer"
	Number    Type = "number" // double, whatever the file has
	Boolean   Type = "boolean"
	Date      Type = "date"
	Timestamp Type = "timestamp"
	Time      Type = "time"
)

// A Column is one that rules may name. Without a type they may not.
type Column struct {
	Name string
	Type Type
}

// A Problem is one thing that is wrong with a rule, with its place in the text.
// Lines and columns count from 1.
type Problem struct {
	Line, Column int
	Message      string
}

// An Error lists the problems of a rule that cannot be run.
type Error struct{ Problems []Problem }

// Error returns the problems, separated by semicolons.
func (e *Error) Error() string {
	var all []string
	for _, p := range e.Problems {
		all = append(all, fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Message))
	}
	return strings.Join(all, "; ")
}

// MaxLength is how many bytes a rule may have.
const MaxLength = 2000

// A Rule is a checked rule. It is not changed and safe for concurrent use.
type Rule struct {
	text    string
	ast     *ast.AST
	columns []Column       // that the rule names, in the order given
	at      map[string]int // variable of the expression → place in columns
}

// Compile parses and checks a rule. A rule names columns as variables, or, if the
// name is no identifier of CEL, as column("net price"). The error is an [*Error].
func Compile(text string, columns []Column) (*Rule, error) {
	if len(text) > MaxLength {
		return nil, &Error{[]Problem{{1, 1, fmt.Sprintf("the rule has %d bytes, more than %d", len(text), MaxLength)}}}
	}
	scope := newScope(columns)
	env, err := scope.environment()
	if err != nil {
		return nil, fmt.Errorf("rowrule: %w", err)
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, celError(issues)
	}
	r := &Rule{text: text, at: map[string]int{}}
	if problems := scope.resolve(parsed.NativeRep(), r); len(problems) > 0 {
		return nil, &Error{problems}
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, celError(issues)
	}
	r.ast = checked.NativeRep()
	switch out := r.ast.GetType(r.ast.Expr().ID()); {
	case out.Kind() != types.BoolKind:
		return nil, &Error{[]Problem{{1, 1, fmt.Sprintf("the rule is %s, and must be true or false", typeName(out))}}}
	case len(r.columns) == 0:
		return nil, &Error{[]Problem{{1, 1, "the rule names no column"}}}
	}
	if _, problems := r.build(usual(r.columns)); len(problems) > 0 {
		return nil, &Error{problems}
	}
	return r, nil
}

// Columns returns the columns that the rule names, in the order given to [Compile].
func (r *Rule) Columns() []string {
	names := make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i] = c.Name
	}
	return names
}

// String returns the rule as it was written.
func (r *Rule) String() string { return r.text }

// A Kernel finds the rows that break a rule. It has buffers of its own and is not
// safe for concurrent use.
type Kernel struct{ root logic }

// Bind makes a kernel for columns of physical types, in the order of [Rule.Columns].
func (r *Rule) Bind(physical []arrow.DataType) (*Kernel, error) {
	if len(physical) != len(r.columns) {
		return nil, fmt.Errorf("rowrule: %d types for %d columns", len(physical), len(r.columns))
	}
	root, problems := r.build(physical)
	if len(problems) > 0 {
		return nil, fmt.Errorf("rowrule: %w", &Error{problems})
	}
	return &Kernel{root: root}, nil
}

// Broken calls broken with each row that breaks the rule, in order. The arrays are
// in the order of [Rule.Columns], have the types that the kernel is bound to, and
// rows rows each.
func (k *Kernel) Broken(columns []arrow.Array, rows int, broken func(row int)) {
	f := frame{columns: columns}
	for f.from = 0; f.from < rows; f.from += chunk {
		f.n = min(chunk, rows-f.from)
		for i, t := range k.root(&f) {
			if t == no || t == failed {
				broken(f.from + i)
			}
		}
	}
}

// celError lists the problems that CEL found, in the words of a contract's author.
func celError(issues *cel.Issues) error {
	e := &Error{}
	for _, issue := range issues.Errors() {
		message, _, _ := strings.Cut(plain(issue.Message), " expecting {") // the whole grammar
		e.Problems = append(e.Problems, Problem{max(issue.Location.Line(), 1), max(issue.Location.Column(), 0) + 1, message})
	}
	return e
}

// plain replaces CEL's names of nullable types by those of their values, and its
// names of operators by how they are written.
func plain(message string) string {
	return operator.ReplaceAllString(replacer.Replace(message), "'$1'")
}

var replacer = strings.NewReplacer("wrapper(int)", "int", "wrapper(double)", "double", "wrapper(string)", "string",
	"wrapper(bool)", "bool", "google.protobuf.Timestamp", "timestamp", "google.protobuf.Duration", "duration",
	"'@in'", "'in'", "'_?_:_'", "'? :'", "'_[_]'", "'[ ]'", " (in container '')", "")

// operator is a name such as _<=_ or !_.
var operator = regexp.MustCompile(`'_?([!%&*+/<=>|-]+)_'`)

func typeName(t *types.Type) string { return plain(t.String()) }
