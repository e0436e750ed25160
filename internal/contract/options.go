package contract

import (
	"math/big"
	"slices"
	"strconv"

	"headgate/internal/strictyaml"
)

// bounds are the options that compare a value with a limit, in the order in which
// their rules are listed.
var bounds = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}

// optionKeys are the logicalTypeOptions of each type.
var optionKeys = map[Type][]string{
	String:    {"format", "minLength", "maxLength", "pattern"},
	Integer:   append([]string{"format", "multipleOf"}, bounds...),
	Number:    append([]string{"format", "multipleOf"}, bounds...),
	Boolean:   {},
	Date:      append([]string{"format"}, bounds...),
	Timestamp: append([]string{"format", "timezone", "defaultTimezone"}, bounds...),
	Time:      append([]string{"format", "timezone", "defaultTimezone"}, bounds...),
}

// typeOptions turns logicalTypeOptions into rules of severity error.
func (p *parser) typeOptions(fs strictyaml.Fields, col *column) {
	v, ok := fs.Get("logicalTypeOptions")
	if col.Type == "" {
		if ok && !fs.Has("logicalType") {
			fs.Key("logicalTypeOptions").Problemf("logicalTypeOptions need a logicalType")
		}
		return
	}
	if !ok {
		col.temporal.defaults()
		return
	}
	opts, ok := v.Map("logicalTypeOptions of a column of type "+string(col.Type), optionKeys[col.Type]...)
	if !ok {
		return
	}
	col.options = opts
	p.date30(opts, col)
	switch col.Type {
	case String:
		p.stringOptions(opts, col)
	case Integer, Number:
		p.numberOptions(opts, col)
	case Date, Timestamp, Time:
		p.temporalOptions(opts, col)
	}
	p.bounds(opts, col)
}

// rowRule adds a rule that quarantines the rows that break it.
func (p *parser) rowRule(col *column, kind Kind, at strictyaml.Value, t test) {
	p.addRule(Rule{ID: col.Name + "." + string(kind), Kind: kind, Column: col.Name, Severity: Error, Limit: none, Quarantine: true, test: t}, at, false)
}

func (p *parser) stringOptions(opts strictyaml.Fields, col *column) {
	if v, ok := opts.Get("format"); ok {
		if s, ok := v.OneOf("format of a string", stringFormats...); ok {
			col.Options.Format = s
			if check := formatChecks[s]; check != nil {
				p.rowRule(col, KindFormat, v, formatted{check})
			} else {
				p.note(v, "%s: format %s says nothing that can be checked", col.Name, s)
			}
		}
	}
	lengths := map[Kind]int64{}
	for _, kind := range []Kind{KindMinLength, KindMaxLength} {
		v, ok := opts.Get(string(kind))
		if !ok {
			continue
		}
		n, ok := v.Int(string(kind))
		switch {
		case !ok:
		case n < 0:
			v.Problemf("%s must be 0 or more, not %d", kind, n)
		default:
			lengths[kind] = n
			p.rowRule(col, kind, v, length{kind: kind, n: n})
		}
	}
	least, a := lengths[KindMinLength]
	most, b := lengths[KindMaxLength]
	if a && b && least > most {
		opts.Key(string(KindMaxLength)).Problemf("no text has at least %d and at most %d characters", least, most)
	}
	if v, ok := opts.Get("pattern"); ok {
		if re, ok := pattern(v); ok {
			p.rowRule(col, KindPattern, v, matches{re})
		}
	}
}

// integerFormats and numberFormats are the widths of the standard.
var (
	integerFormats = []string{"i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128"}
	numberFormats  = []string{"f32", "f64"}
)

func (p *parser) numberOptions(opts strictyaml.Fields, col *column) {
	if v, ok := opts.Get("format"); ok {
		allowed := numberFormats
		if col.Type == Integer {
			allowed = integerFormats
		}
		if s, ok := v.OneOf("format of "+article(string(col.Type)), allowed...); ok {
			col.Options.Format = s
			if col.Type == Integer {
				lo, hi := integerRange(s)
				p.rowRule(col, KindFormat, v, within{lo: lo, hi: hi})
			}
		}
	}
	if v, ok := opts.Get("multipleOf"); ok {
		r, ok := v.Rat("multipleOf")
		switch {
		case !ok:
		case r.Sign() <= 0:
			v.Problemf("multipleOf must be greater than 0, not %s", ratString(r))
		default:
			p.rowRule(col, KindMultipleOf, v, multiple{r})
		}
	}
}

// integerRange returns the smallest and largest value of a width such as i32.
func integerRange(format string) (lo, hi *big.Rat) {
	bits, _ := strconv.Atoi(format[1:])
	one := big.NewInt(1)
	if format[0] == 'u' {
		top := new(big.Int).Lsh(one, uint(bits))
		return new(big.Rat), new(big.Rat).SetInt(top.Sub(top, one))
	}
	top := new(big.Int).Lsh(one, uint(bits-1))
	lo = new(big.Rat).SetInt(new(big.Int).Neg(top))
	return lo, new(big.Rat).SetInt(new(big.Int).Sub(top, one))
}

func (p *parser) temporalOptions(opts strictyaml.Fields, col *column) {
	col.temporal.defaults()
	if v, ok := opts.Get("timezone"); ok {
		b, ok := v.Bool("timezone")
		switch {
		case !ok:
		case col.Type == Time && b:
			v.Problemf("a time of day with a time zone cannot be kept in Parquet")
		default:
			col.Options.Timezone = &b
		}
	}
	if v, ok := opts.Get("defaultTimezone"); ok {
		col.temporal.zone(v)
	}
	if v, ok := opts.Get("format"); ok {
		col.temporal.format(v)
	}
}

// bounds adds the rules of minimum and its like, and refuses an empty range.
func (p *parser) bounds(opts strictyaml.Fields, col *column) {
	limits := map[string]literal{}
	exclusive := p.exclusive30(opts)
	for _, key := range bounds {
		v, ok := opts.Get(key)
		if !ok || !slices.Contains(optionKeys[col.Type], key) {
			continue
		}
		kind := Kind(key)
		switch {
		case key == "minimum" && exclusive[key]:
			kind = KindExclusiveMinimum
		case key == "maximum" && exclusive[key]:
			kind = KindExclusiveMaximum
		case exclusive[key]:
			continue
		}
		lit, ok := col.literal(key, v)
		switch {
		case !ok:
		case lit.nan:
			v.Problemf("%s must be a number, not NaN", key)
		default:
			limits[string(kind)] = lit
			p.rowRule(col, kind, v, bound{kind: kind, limit: lit})
		}
	}
	for _, low := range []string{"minimum", "exclusiveMinimum"} {
		for _, high := range []string{"maximum", "exclusiveMaximum"} {
			a, hasLow := limits[low]
			b, hasHigh := limits[high]
			if !hasLow || !hasHigh {
				continue
			}
			c := a.num.Cmp(b.num)
			if c > 0 || c == 0 && (low != "minimum" || high != "maximum") {
				opts.Key(high).Problemf("no value keeps both %s and %s", low, high)
			}
		}
	}
}
