package gate

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"headgate/internal/evaluate"
	"headgate/internal/strictyaml"
)

// MaxRule is how many bytes a rule may have, and maxCost how much work it may be, in
// CEL's units: about one for each value that is looked at.
const (
	MaxRule = 2000
	maxCost = 100_000
)

// A RuleError says what is wrong with a rule, with its place in the text. Lines and
// columns count from 1.
type RuleError struct {
	Line, Column int
	Message      string
}

// Error returns line:column: message.
func (e *RuleError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message) }

// A condition is a checked rule.
type condition struct {
	ast     *ast.AST
	program cel.Program
	uses    []string          // the evidence that it names, in the order of the text
	metrics []evaluate.Metric // the metrics of outcome that it names
}

// compile parses and checks the rules of a subject. The error is a [*RuleError].
func compile(subject Subject, text string) (*condition, error) {
	if len(text) > MaxRule {
		return nil, &RuleError{1, 1, fmt.Sprintf("the rule has %d bytes, more than %d", len(text), MaxRule)}
	}
	env, err := environment(subject)
	if err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, celError(issues)
	}
	if err := names(subject, parsed.NativeRep()); err != nil {
		return nil, err
	}
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, fieldError(issues, parsed.NativeRep())
	}
	if out := checked.OutputType(); !out.IsExactType(cel.BoolType) {
		return nil, &RuleError{1, 1, fmt.Sprintf("the rule is %s, and must be true or false", typeName(out))}
	}
	c := &condition{ast: checked.NativeRep()}
	if err := c.look(); err != nil {
		return nil, err
	}
	if len(c.uses) == 0 {
		return nil, &RuleError{1, 1, "the rule names no evidence"}
	}
	c.program, err = env.Program(checked, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptTrackState))
	if err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	return c, nil
}

// environment declares the evidence of a subject.
func environment(subject Subject) (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	options := []cel.EnvOption{cel.ParserRecursionLimit(100), cel.CustomTypeProvider(provider{registry})}
	for _, name := range evidenceOf(subject) {
		options = append(options, cel.Variable(name, cel.ObjectType(typeOf[name])))
	}
	return cel.NewEnv(options...)
}

// evidenceOf returns what rules of a subject can name.
func evidenceOf(subject Subject) []string {
	switch subject {
	case Publish:
		return []string{"release", "data"}
	case Canary:
		return []string{"release", "data", "compare"}
	}
	return []string{"release", "data", "compare", "outcome"}
}

// names returns an error for the first variable that there is not.
func names(subject Subject, a *ast.AST) error {
	var err error
	known := evidenceOf(subject)
	var bound []string // variables of macros
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			bound = append(bound, e.AsComprehension().IterVar(), e.AsComprehension().IterVar2(), e.AsComprehension().AccuVar())
		}
	}))
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if err != nil || e.Kind() != ast.IdentKind || slices.Contains(known, e.AsIdent()) || slices.Contains(bound, e.AsIdent()) {
			return
		}
		message := fmt.Sprintf("there is no evidence %s%s", e.AsIdent(), strictyaml.Hint(e.AsIdent(), known))
		if typeOf[e.AsIdent()] != "" {
			message = fmt.Sprintf("%s is not there when a gate of %s judges; it has %s", e.AsIdent(), subject, strings.Join(known, ", "))
		}
		err = problemAt(a, e, "%s", message)
	}))
	return err
}

func problemAt(a *ast.AST, e ast.Expr, format string, args ...any) *RuleError {
	at := a.SourceInfo().GetStartLocation(e.ID())
	return &RuleError{max(at.Line(), 1), max(at.Column(), 0) + 1, fmt.Sprintf(format, args...)}
}

// celError is the first problem that CEL found.
func celError(issues *cel.Issues) error {
	issue := issues.Errors()[0]
	message, _, _ := strings.Cut(issue.Message, " expecting {") // the whole grammar
	return &RuleError{max(issue.Location.Line(), 1), max(issue.Location.Column(), 0) + 1, plain(message)}
}

// fieldError is the first problem of a check; if it is a field that is not there, with
// the one that was meant.
func fieldError(issues *cel.Issues, a *ast.AST) error {
	issue := issues.Errors()[0]
	const undefined = "undefined field '"
	if !strings.HasPrefix(issue.Message, undefined) {
		return celError(issues)
	}
	field := strings.TrimSuffix(strings.TrimPrefix(issue.Message, undefined), "'")
	message := fmt.Sprintf("there is no field %s%s", field, strictyaml.Hint(field, allFields()))
	var found *RuleError
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if found != nil || e.ID() != issue.ExprID || e.Kind() != ast.SelectKind {
			return
		}
		if of, known := fieldsAt(e.AsSelect().Operand()); known != nil {
			message = fmt.Sprintf("%s has no field %s%s", of, field, strictyaml.Hint(field, known))
			if strictyaml.Nearest(field, known) == "" {
				message += "; it has " + strings.Join(known, ", ")
			}
		}
		found = problemAt(a, e, "%s", message)
	}))
	if found == nil {
		return &RuleError{max(issue.Location.Line(), 1), max(issue.Location.Column(), 0) + 1, message}
	}
	return found
}

// look notes which evidence a rule names, and which metrics.
func (c *condition) look() error {
	var err error
	ast.PreOrderVisit(c.ast.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.IdentKind && typeOf[e.AsIdent()] != "" && !slices.Contains(c.uses, e.AsIdent()) {
			c.uses = append(c.uses, e.AsIdent())
		}
		if name, key, ok := metricOf(e); ok && err == nil {
			if reason := unknown(name); reason != "" {
				err = problemAt(c.ast, key, "%s", reason)
			} else if !slices.Contains(c.metrics, name) {
				c.metrics = append(c.metrics, name)
			}
		}
	}))
	return err
}

// metricOf returns the metric that an expression outcome.metrics["auc"] names.
func metricOf(e ast.Expr) (name evaluate.Metric, key ast.Expr, ok bool) {
	if e.Kind() != ast.CallKind {
		return "", nil, false
	}
	c := e.AsCall()
	var of ast.Expr
	switch {
	case c.FunctionName() == operators.Index:
		of, key = c.Args()[0], c.Args()[1]
	case c.FunctionName() == operators.In:
		key, of = c.Args()[0], c.Args()[1]
	default:
		return "", nil, false
	}
	if of.Kind() != ast.SelectKind || of.AsSelect().FieldName() != "metrics" || key.Kind() != ast.LiteralKind {
		return "", nil, false
	}
	text, ok := key.AsLiteral().Value().(string)
	return evaluate.Metric(text), key, ok
}

// truth evaluates a rule. The error says why there is no answer.
func (c *condition) truth(e Evidence) (truth bool, values string, err error) {
	vars := map[string]any{}
	for name, v := range map[string]any{"release": e.Release, "data": e.Data, "compare": e.Compare, "outcome": e.Outcome} {
		if x, ok := value(v); ok {
			vars[name] = x
		}
	}
	for _, name := range c.uses {
		if vars[name] == nil {
			return false, "", fmt.Errorf("there is no evidence of %s", name)
		}
	}
	out, details, err := c.program.Eval(vars)
	values = c.values(details)
	if err != nil {
		return false, values, fmt.Errorf("the rule has no answer: %s", plain(err.Error()))
	}
	truth, ok := out.Value().(bool)
	if !ok {
		return false, values, fmt.Errorf("the rule is %v, and neither true nor false", out)
	}
	return truth, values, nil
}
