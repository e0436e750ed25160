package rowrule

import (
	"fmt"
	"regexp"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"headgate/internal/strictyaml"
)

// A scope says which columns a rule may name, and how.
type scope struct {
	columns   []Column
	variables map[string]int // variable → place in columns; those of column("…") begin with @
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved are words that CEL does not let a variable be.
var reserved = []string{"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in",
	"let", "loop", "math", "namespace", "null", "package", "return", "true", "var", "void", "while"}

func newScope(columns []Column) *scope {
	s := &scope{columns: columns, variables: map[string]int{}}
	for i, c := range columns {
		if identifier.MatchString(c.Name) && !slices.Contains(reserved, c.Name) {
			s.variables[c.Name] = i
		}
		s.variables[hidden(i)] = i
	}
	return s
}

// hidden is the variable that column("…") stands for; no text can name it.
func hidden(place int) string { return fmt.Sprintf("@%d", place) }

// resolve notes in r the columns that an expression names, and returns a problem
// for each that is not there or has no type.
func (s *scope) resolve(parsed *ast.AST, r *Rule) []Problem {
	var problems []Problem
	used := make([]bool, len(s.columns))
	visit := func(e ast.Expr) {
		if e.Kind() != ast.IdentKind || e.AsIdent() == "math" {
			return
		}
		name := e.AsIdent()
		place, ok := s.variables[name]
		switch {
		case !ok:
			problems = append(problems, problemAt(parsed, e, "there is no column %s%s", name, strictyaml.Hint(name, s.names())))
		case s.columns[place].Type == "":
			problems = append(problems, problemAt(parsed, e, "column %s needs a logicalType to be in a rule", s.columns[place].Name))
		default:
			used[place] = true
		}
	}
	ast.PreOrderVisit(parsed.Expr(), ast.NewExprVisitor(visit))
	places := make([]int, len(used))
	for i, c := range s.columns {
		if used[i] {
			places[i] = len(r.columns)
			r.columns = append(r.columns, c)
		}
	}
	for name, i := range s.variables {
		if used[i] {
			r.at[name] = places[i]
		}
	}
	return problems
}

func problemAt(a *ast.AST, e ast.Expr, format string, args ...any) Problem {
	at := a.SourceInfo().GetStartLocation(e.ID())
	return Problem{max(at.Line(), 1), max(at.Column(), 0) + 1, fmt.Sprintf(format, args...)}
}

func (s *scope) names() []string {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = c.Name
	}
	return names
}

// celTypes are the types of variables. All of them may be null.
var celTypes = map[Type]*cel.Type{
	String:    cel.NullableType(cel.StringType),
	Integer:   cel.NullableType(cel.IntType),
	Number:    cel.NullableType(cel.DoubleType),
	Boolean:   cel.NullableType(cel.BoolType),
	Date:      cel.TimestampType,
	Timestamp: cel.TimestampType,
	Time:      cel.DurationType,
}

// environment declares the columns, and of CEL's functions those that the kernels
// have, under CEL's names. An int may stand beside a double.
func (s *scope) environment() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.ParserRecursionLimit(100),
		cel.Macros(cel.GlobalMacro("column", 1, s.column)),
	}
	for name, i := range s.variables {
		if t := celTypes[s.columns[i].Type]; t != nil {
			options = append(options, cel.Variable(name, t))
		}
	}
	return cel.NewCustomEnv(append(options, functions()...)...)
}

// column expands column("net price").
func (s *scope) column(h cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
	if args[0].Kind() != ast.LiteralKind || args[0].AsLiteral().Type() != types.StringType {
		return nil, h.NewError(args[0].ID(), `column needs the name of a column in quotes, as in column("net price")`)
	}
	name, _ := args[0].AsLiteral().Value().(string)
	for i, c := range s.columns {
		if c.Name == name {
			return h.NewIdent(hidden(i)), nil
		}
	}
	return nil, h.NewError(args[0].ID(), fmt.Sprintf("there is no column %s%s", name, strictyaml.Hint(name, s.names())))
}

// A signature is one way to call a function: its arguments, then its result.
type signature []*cel.Type

var (
	boolean  = cel.BoolType
	integer  = cel.IntType
	double   = cel.DoubleType
	text     = cel.StringType
	instant  = cel.TimestampType
	duration = cel.DurationType
	any1     = cel.TypeParamType("A")
)

// arithmetic is of two numbers: of two ints an int, else a double.
var arithmetic = []signature{{integer, integer, integer}, {integer, double, double}, {double, integer, double}, {double, double, double}}

var order = []signature{{integer, integer, boolean}, {integer, double, boolean}, {double, integer, boolean}, {double, double, boolean},
	{text, text, boolean}, {instant, instant, boolean}, {duration, duration, boolean}}

var globals = map[string][]signature{
	operators.LogicalAnd:    {{boolean, boolean, boolean}},
	operators.LogicalOr:     {{boolean, boolean, boolean}},
	operators.LogicalNot:    {{boolean, boolean}},
	operators.Conditional:   {{boolean, any1, any1, any1}},
	operators.Equals:        {{cel.DynType, cel.DynType, boolean}}, // the builder checks what is compared
	operators.NotEquals:     {{cel.DynType, cel.DynType, boolean}},
	operators.In:            {{cel.DynType, cel.ListType(cel.DynType), boolean}},
	operators.Less:          order,
	operators.LessEquals:    order,
	operators.Greater:       order,
	operators.GreaterEquals: order,
	operators.Add:           append([]signature{{instant, duration, instant}, {duration, instant, instant}, {duration, duration, duration}}, arithmetic...),
	operators.Subtract:      append([]signature{{instant, duration, instant}, {instant, instant, duration}, {duration, duration, duration}}, arithmetic...),
	operators.Multiply:      arithmetic,
	operators.Divide:        arithmetic,
	operators.Modulo:        {{integer, integer, integer}},
	operators.Negate:        {{integer, integer}, {double, double}},
	"int":                   {{integer, integer}, {double, integer}},
	"double":                {{integer, double}, {double, double}},
	"math.abs":              {{integer, integer}, {double, double}},
	"size":                  {{text, integer}},
	"matches":               {{text, text, boolean}},
	"date":                  {{text, instant}},
	"timestamp":             {{text, instant}},
	"duration":              {{text, duration}},
}

var members = map[string][]signature{
	"size":         {{text, integer}},
	"matches":      {{text, text, boolean}},
	"startsWith":   {{text, text, boolean}},
	"endsWith":     {{text, text, boolean}},
	"contains":     {{text, text, boolean}},
	"getFullYear":  {{instant, integer}},
	"getMonth":     {{instant, integer}},
	"getDate":      {{instant, integer}},
	"getDayOfYear": {{instant, integer}},
	"getDayOfWeek": {{instant, integer}},
	"getHours":     {{instant, integer}},
	"getMinutes":   {{instant, integer}},
	"getSeconds":   {{instant, integer}},
}

// functions declares globals and members.
func functions() []cel.EnvOption {
	var options []cel.EnvOption
	declare := func(name, prefix string, signatures []signature, overload func(string, []*cel.Type, *cel.Type, ...cel.OverloadOpt) cel.FunctionOpt) {
		for i, s := range signatures {
			last := len(s) - 1
			options = append(options, cel.Function(name, overload(fmt.Sprintf("%s%s_%d", prefix, name, i), s[:last], s[last])))
		}
	}
	for name, signatures := range globals {
		declare(name, "", signatures, cel.Overload)
	}
	for name, signatures := range members {
		declare(name, "member_", signatures, cel.MemberOverload)
	}
	return options
}
