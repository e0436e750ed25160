package lightgbm

import (
	"encoding/json"
	"strconv"
	"strings"

	"headgate/internal/model"
)

// inputs says what the model reads: which features are categorical, and the
// categories from o or, failing that, from the file.
func (f *file) inputs(o model.Options) ([]model.Input, error) {
	inputs := make([]model.Input, len(f.names))
	at := make(map[string]int, len(f.names))
	for i, name := range f.names {
		inputs[i].Name = name
		at[name] = i
		if codes(f.infos[i]) {
			inputs[i].Kind = model.Categorical
		}
	}
	for _, t := range f.trees {
		for i, d := range t.decision {
			if d&bitCategorical != 0 {
				inputs[t.feature[i]].Kind = model.Categorical
			}
		}
	}
	if err := f.pandas(inputs, len(o.Categories)); err != nil {
		return nil, err
	}
	for name, categories := range o.Categories {
		i, ok := at[name]
		if !ok {
			return nil, &model.InputError{Column: name, Reason: "has categories, and the model has no such input"}
		}
		inputs[i].Categories = categories
	}
	return inputs, nil
}

// codes reports whether a feature_infos value lists category codes, as -1:4:2.
// Numbers have [low:high], and unused features none.
func codes(info string) bool {
	return info != "" && info != "none" && !strings.HasPrefix(info, "[")
}

// pandas hands out the lists of the line pandas_categorical. The file does not say
// whose they are: they belong, in order, to the columns that were categorical in
// the training data frame. So they are handed out only if the file's categorical
// features, by its parameter or by feature_infos, are as many, and have no code
// that its list does not reach. Otherwise categories must be given for as many
// inputs: to guess would be to score wrongly without a word.
func (f *file) pandas(inputs []model.Input, given int) error {
	text := strings.TrimSpace(f.dictionary.value)
	if text == "" || text == "null" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var lists [][]any
	if err := d.Decode(&lists); err != nil || d.More() {
		return errorAt(f.dictionary.line, "pandas_categorical is not a list of lists; the file may be truncated")
	}
	features, ok := f.owners(lists)
	if !ok && given >= len(lists) {
		return nil
	}
	if !ok {
		return errorAt(f.dictionary.line, "pandas_categorical has %d lists, and the file does not say for which features; give the categories by name", len(lists))
	}
	for i, list := range lists {
		categories := make([]string, len(list))
		for code, value := range list {
			category, ok := category(value)
			if !ok {
				return errorAt(f.dictionary.line, "pandas_categorical: list %d has a value that is no text, number or boolean", i+1)
			}
			categories[code] = category
		}
		inputs[features[i]].Categories = categories
	}
	return nil
}

// owners returns the features that the lists belong to, and whether that is sure.
func (f *file) owners(lists [][]any) ([]int, bool) {
	features := f.parameter()
	if len(features) != len(lists) {
		features = nil
		for i, info := range f.infos {
			if codes(info) {
				features = append(features, i)
			}
		}
	}
	if len(features) != len(lists) {
		return nil, false
	}
	for i, feature := range features {
		if !codes(f.infos[feature]) {
			continue
		}
		for word := range strings.SplitSeq(f.infos[feature], ":") {
			if code, err := strconv.Atoi(word); err != nil || code >= len(lists[i]) {
				return nil, false
			}
		}
	}
	return features, true
}

// parameter returns the features that the parameter categorical_feature names, by
// index, or nil if it names them in another way.
func (f *file) parameter() []int {
	var features []int
	for word := range strings.SplitSeq(f.categorical, ",") {
		i, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || i < 0 || i >= len(f.names) {
			return nil
		}
		features = append(features, i)
	}
	return features
}

// category is the text of a category: numbers in their shortest form, so that 1.0
// is the same as 1.
func category(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return v.String(), true
		}
		number, err := v.Float64()
		return strconv.FormatFloat(number, 'f', -1, 64), err == nil
	}
	return "", false
}
