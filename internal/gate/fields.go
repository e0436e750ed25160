package gate

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"headgate/internal/evaluate"
)

// typeOf names the type of each variable of a rule.
var typeOf = map[string]string{"release": "Case", "data": "Data", "compare": "Compare", "outcome": "Outcome"}

// structs are the types that rules can look into, by name.
var structs = func() map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for _, v := range []any{Case{}, Data{}, Drift{}, Compare{}, Volume{}, Moved{}, Outcome{}, Granted{}, Look{}, Metric{}, CalibrationOutcome{}, SliceOutcome{}, evaluate.Estimate{}, evaluate.Missing{}} {
		t := reflect.TypeOf(v)
		out[t.Name()] = t
	}
	return out
}()

var moment = reflect.TypeOf(time.Time{})

// celType returns what a Go type is to a rule.
func celType(t reflect.Type) *cel.Type {
	switch t.Kind() {
	case reflect.Pointer:
		return celType(t.Elem())
	case reflect.String:
		return cel.StringType
	case reflect.Bool:
		return cel.BoolType
	case reflect.Int, reflect.Int64:
		return cel.IntType
	case reflect.Float64:
		return cel.DoubleType
	case reflect.Slice:
		return cel.ListType(celType(t.Elem()))
	case reflect.Map:
		return cel.MapType(celType(t.Key()), celType(t.Elem()))
	}
	if t == moment {
		return cel.TimestampType
	}
	return cel.ObjectType(t.Name())
}

// fieldName is how a field is called in JSON, and so in rules.
func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// A provider tells CEL the fields of evidence. Values are maps, so a field that is not
// there is an error when a rule is evaluated, and not a zero.
type provider struct{ types.Provider }

// FindStructType returns the type of a name.
func (p provider) FindStructType(name string) (*types.Type, bool) {
	if structs[name] == nil {
		return p.Provider.FindStructType(name)
	}
	return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
}

// FindStructFieldNames returns the fields of a type.
func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	if structs[name] == nil {
		return p.Provider.FindStructFieldNames(name)
	}
	return fieldNames(structs[name]), true
}

// allFields returns the fields of all types.
func allFields() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(structs)) {
		out = append(out, fieldNames(structs[name])...)
	}
	return out
}

func fieldNames(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		out = append(out, fieldName(t.Field(i)))
	}
	return out
}

// FindStructFieldType returns the type of a field.
func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if structs[name] == nil {
		return p.Provider.FindStructFieldType(name, field)
	}
	if t, ok := fieldType(structs[name], field); ok {
		return &types.FieldType{Type: celType(t)}, true
	}
	return nil, false
}

func fieldType(t reflect.Type, field string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if fieldName(t.Field(i)) == field {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

// fieldsAt returns the name of the type that a chain of fields is of, and its fields.
// It is nil if that is not known before the check, as within a macro.
func fieldsAt(e ast.Expr) (string, []string) {
	t := goType(e)
	if t == nil || t.Kind() != reflect.Struct {
		return "", nil
	}
	text := "it"
	if chain, ok := chainOf(e); ok {
		text = chain
	}
	return text, fieldNames(t)
}

func goType(e ast.Expr) reflect.Type {
	var t reflect.Type
	switch e.Kind() {
	case ast.IdentKind:
		t = structs[typeOf[e.AsIdent()]]
	case ast.SelectKind:
		of := goType(e.AsSelect().Operand())
		if of == nil || of.Kind() != reflect.Struct {
			return nil
		}
		t, _ = fieldType(of, e.AsSelect().FieldName())
	case ast.CallKind:
		if args := e.AsCall().Args(); len(args) == 2 {
			if of := goType(args[0]); of != nil && (of.Kind() == reflect.Map || of.Kind() == reflect.Slice) {
				t = of.Elem()
			}
		}
	}
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// chainOf writes a chain such as outcome.metrics["auc"].difference; ok is false if the
// expression is none.
func chainOf(e ast.Expr) (string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent(), typeOf[e.AsIdent()] != ""
	case ast.SelectKind:
		of, ok := chainOf(e.AsSelect().Operand())
		return of + "." + e.AsSelect().FieldName(), ok && !e.AsSelect().IsTestOnly()
	case ast.CallKind:
		if args := e.AsCall().Args(); e.AsCall().FunctionName() == operators.Index && args[1].Kind() == ast.LiteralKind {
			of, ok := chainOf(args[0])
			return fmt.Sprintf("%s[%q]", of, fmt.Sprint(args[1].AsLiteral().Value())), ok
		}
	}
	return "", false
}

// values writes what the longest chains of a rule were.
func (c *condition) values(details *cel.EvalDetails) string {
	if details == nil {
		return ""
	}
	var out []string
	var visit func(e ast.Expr)
	visit = func(e ast.Expr) {
		if chain, ok := chainOf(e); ok && e.Kind() != ast.IdentKind {
			v, known := details.State().Value(e.ID())
			if text, short := brief(v); known && short && !slices.Contains(out, chain+" = "+text) {
				out = append(out, chain+" = "+text)
			}
			return
		}
		for _, child := range children(e) {
			visit(child)
		}
	}
	visit(c.ast.Expr())
	return strings.Join(out, ", ")
}

func children(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.SelectKind:
		return []ast.Expr{e.AsSelect().Operand()}
	case ast.CallKind:
		c := e.AsCall()
		if c.IsMemberFunction() {
			return append([]ast.Expr{c.Target()}, c.Args()...)
		}
		return c.Args()
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.ComprehensionKind:
		return []ast.Expr{e.AsComprehension().IterRange()}
	}
	return nil
}

// brief writes a value of one word or number.
func brief(v ref.Val) (string, bool) {
	switch v := v.(type) {
	case types.String:
		return fmt.Sprintf("%q", string(v)), true
	case types.Int, types.Double, types.Bool:
		return fmt.Sprint(v.Value()), true
	case types.Timestamp:
		return v.Time.UTC().Format(time.RFC3339), true
	}
	return "", false
}

// value returns what evidence is to a rule: maps, lists, numbers, texts. What is nil is
// not there.
func value(v any) (any, bool) { return valueOf(reflect.ValueOf(v)) }

func valueOf(v reflect.Value) (any, bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, false
		}
		return valueOf(v.Elem())
	case reflect.String:
		return v.String(), true
	case reflect.Bool:
		return v.Bool(), true
	case reflect.Int, reflect.Int64:
		return v.Int(), true
	case reflect.Float64:
		return v.Float(), true
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i], _ = valueOf(v.Index(i))
		}
		return out, true
	case reflect.Map:
		out := map[string]any{}
		for _, key := range v.MapKeys() {
			out[key.String()], _ = valueOf(v.MapIndex(key))
		}
		return out, true
	}
	if v.Type() == moment {
		return v.Interface(), true
	}
	out := map[string]any{}
	for i := range v.NumField() {
		if x, ok := valueOf(v.Field(i)); ok {
			out[fieldName(v.Type().Field(i))] = x
		}
	}
	return out, true
}

// plain replaces CEL's names of operators by how they are written.
func plain(message string) string {
	return operator.ReplaceAllString(replacer.Replace(message), "'$1'")
}

var replacer = strings.NewReplacer("google.protobuf.Timestamp", "timestamp", "google.protobuf.Duration", "duration",
	"'@in'", "'in'", "'_?_:_'", "'? :'", "'_[_]'", "'[ ]'", " (in container '')", "")

// operator is a name such as _<=_ or !_.
var operator = regexp.MustCompile(`'_?([!%&*+/<=>|-]+)_'`)

func typeName(t *types.Type) string { return plain(t.String()) }
