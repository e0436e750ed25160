package pipeline

import (
	"crypto/ed25519"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"

	"headgate/internal/release"
	"headgate/internal/strictyaml"
)

// whole is the share of all entities.
const whole = Share(release.Whole)

// maxSteps is how many steps and batches of each a release can take.
const maxSteps = 24

// defaultRelease is what a strategy does unless it is told otherwise.
func (c *Config) defaultRelease(strategy string) *Release {
	r := &Release{Strategy: strategy, Shadow: DefaultShadow, Batches: 1, Watch: DefaultWatch, Extend: DefaultExtend,
		OnFail: release.OnFailRollback, Approve: Approvals{Expire: Duration(DefaultExpire)}}
	switch strategy {
	case release.StrategyCanary:
		r.Steps = []Share{whole / 10, whole}
	case release.StrategyAB:
		r.Steps = []Share{whole / 2}
	case release.StrategyShadow:
		r.Watch = 0
	case release.StrategyAllAtOnce:
		r.Shadow = 0
		if c.Labels == nil {
			r.Watch = 0
		}
	}
	return r
}

func (c *Config) readRelease(v strictyaml.Value) {
	c.Release = c.defaultRelease(release.StrategyCanary)
	fs, ok := v.Map("release", "strategy", "shadow", "steps", "batches", "watch", "extend", "onFail", "approve")
	if !ok {
		return
	}
	if v, ok := fs.Get("strategy"); ok {
		if s, ok := v.OneOf("strategy", release.StrategyCanary, release.StrategyShadow, release.StrategyBlueGreen, release.StrategyAB, release.StrategyAllAtOnce); ok {
			c.Release = c.defaultRelease(s)
		}
	}
	r := c.Release
	if v, ok := fs.Get("steps"); ok {
		r.readSteps(v)
	}
	lowest := int64(0)
	if r.Strategy == release.StrategyShadow {
		lowest = 1
	}
	for key, limit := range map[string]struct {
		to *int
		lo int64
	}{"shadow": {&r.Shadow, lowest}, "batches": {&r.Batches, 1}, "watch": {&r.Watch, 0}, "extend": {&r.Extend, 0}} {
		if v, ok := fs.Get(key); ok {
			*limit.to = int(between(key, v, limit.lo, maxSteps))
		}
	}
	if v, ok := fs.Get("onFail"); ok {
		r.OnFail, _ = v.OneOf("onFail", release.OnFailRollback, release.OnFailPause, release.OnFailAsk)
	}
	if v, ok := fs.Get("approve"); ok {
		r.readApprovals(v)
	}
	if !c.kept && c.Labels != nil {
		r.checkUnjudged(fs)
	}
}

// checkUnjudged finds a release whose candidates nothing speaks for: no labelled batch, and
// no person.
func (r *Release) checkUnjudged(fs strictyaml.Fields) {
	names := r.StepNames()
	if r.Shadow > 0 || len(names) == 0 || r.Approve.Asks(names[0]) {
		return
	}
	at := fs.Key("strategy")
	if fs.Has("shadow") {
		at = fs.Key("shadow")
	}
	at.Problemf("with shadow 0 no labelled batch speaks for a candidate before it enters step %s, so a person must: add approve: { steps: [%s] }, or set shadow to 1 or more",
		names[0], names[0])
}

// readSteps reads the shares of a canary, which ascend to all entities, or the one of ab.
func (r *Release) readSteps(v strictyaml.Value) {
	list, ok := v.List("steps")
	if !ok {
		return
	}
	canary, ab := r.Strategy == release.StrategyCanary, r.Strategy == release.StrategyAB
	switch {
	case !canary && !ab:
		v.Problemf("strategy %s has no shares of entities; leave steps out, or set strategy to canary", r.Strategy)
		return
	case ab && len(list) != 1:
		v.Problemf("strategy ab has one share, of the new arm, as in [50%%]")
		return
	case len(list) == 0 || len(list) > maxSteps:
		v.Problemf("steps must be 1 to %d shares, as in [10%%, 100%%]", maxSteps)
		return
	}
	r.Steps = nil
	for _, e := range list {
		text, _ := e.Scalar()
		s, ok := parseShare(text)
		switch {
		case !ok:
			hint := ""
			if _, ok := parseShare(text + "%"); ok {
				hint = "; did you mean " + text + "%?"
			}
			e.Problemf("an entry of steps must be a share above 0 and up to 100%%, in hundredths of a percent, as in 10%%, not %q%s", text, hint)
			return
		case len(r.Steps) > 0 && s <= r.Steps[len(r.Steps)-1]:
			e.Problemf("steps must ascend, and %s follows %s", s, r.Steps[len(r.Steps)-1])
			return
		}
		r.Steps = append(r.Steps, s)
	}
	last, at := r.Steps[len(r.Steps)-1], list[len(list)-1]
	switch {
	case canary && last != whole:
		at.Problemf("the last of steps must be 100%%, for a canary ends with all entities")
	case ab && last == whole:
		at.Problemf("the new arm of ab cannot have all entities; 50%% gives the clearest answer")
	}
}

func (r *Release) readApprovals(v strictyaml.Value) {
	a := &r.Approve
	fs, ok := v.Map("approve", "steps", "people", "role", "fourEyes", "signed", "expire", "actBy")
	if !ok {
		return
	}
	if v, ok := fs.Get("people"); ok {
		a.readPeople(v)
	}
	if v, ok := fs.Get("role"); ok {
		a.Role, _ = v.Str("role")
	}
	for key, to := range map[string]*bool{"fourEyes": &a.FourEyes, "signed": &a.Signed} {
		if v, ok := fs.Get(key); ok {
			*to, _ = v.Bool(key)
		}
	}
	if v, ok := fs.Get("expire"); ok {
		if a.Expire = duration("expire", v); a.Expire <= 0 {
			v.Problemf("expire must be above 0: a question stays open for so long")
		}
	}
	if v, ok := fs.Get("actBy"); ok {
		a.ActBy = duration("actBy", v)
	}
	if v, ok := fs.Get("steps"); ok {
		r.readApprovedSteps(v)
	}
	a.checkPeople(fs)
}

// readApprovedSteps reads the names of steps that need an approval.
func (r *Release) readApprovedSteps(v strictyaml.Value) {
	names := r.StepNames()
	list, _ := v.List("approve.steps")
	for _, e := range list {
		text, ok := e.Text("an entry of approve.steps")
		if !ok {
			continue
		}
		if s, isShare := parseShare(text); isShare {
			text = s.String()
		}
		switch {
		case len(names) == 0:
			e.Problemf("strategy %s has no step that a candidate is let into", r.Strategy)
		case !slices.Contains(names, text):
			e.Problemf("the release has no step %s that a candidate is let into; it has %s", text, strings.Join(names, ", "))
		case slices.Contains(r.Approve.Steps, text):
			e.Problemf("approve.steps has %s twice", text)
		default:
			r.Approve.Steps = append(r.Approve.Steps, text)
		}
	}
}

func (a *Approvals) readPeople(v strictyaml.Value) {
	list, _ := v.List("people")
	for _, e := range list {
		fs, ok := e.Map("an entry of people", "name", "roles", "key")
		if !ok {
			continue
		}
		var p Approver
		name, ok := fs.Need("name")
		if ok {
			p.Name, ok = name.Str("name")
		}
		switch same := func(o Approver) bool { return o.Name == p.Name }; {
		case !ok:
			continue
		case strings.TrimSpace(p.Name) == "" || strings.ContainsAny(p.Name, "\n\r"):
			name.Problemf("the name of a person must not be empty, and is of one line")
		case slices.ContainsFunc(a.People, same):
			name.Problemf("people has %s twice", p.Name)
		}
		if v, ok := fs.Get("roles"); ok {
			p.Roles = words("roles", v)
		}
		if v, ok := fs.Get("key"); ok {
			p.Key, ok = v.Str("key")
			if reason := checkPublicKey(p.Key); ok && reason != "" {
				v.Problemf("key of %s %s", p.Name, reason)
			}
		}
		a.People = append(a.People, p)
	}
}

// checkPeople finds demands that the listed people cannot meet.
func (a *Approvals) checkPeople(fs strictyaml.Fields) {
	able := slices.Clone(a.People)
	if a.Role != "" {
		able = slices.DeleteFunc(able, func(p Approver) bool { return !slices.Contains(p.Roles, a.Role) })
		if len(able) == 0 {
			fs.Key("role").Problemf("nobody in people has the role %s", a.Role)
			return
		}
	}
	if a.Signed {
		able = slices.DeleteFunc(able, func(p Approver) bool { return p.Key == "" })
		if len(able) == 0 {
			fs.Key("signed").Problemf("nobody in people who may approve has a key to sign with; add key: ssh-ed25519 …")
			return
		}
	}
	if a.FourEyes && len(a.People) > 0 && len(able) < 2 {
		fs.Key("fourEyes").Problemf("fourEyes needs two persons who may approve, and there is %d", len(able))
	}
	if fs.Has("people") && len(a.People) == 0 {
		fs.Key("people").Problemf("people is empty; leave it out to let anybody approve")
	}
}

// keyHeader is what an Ed25519 public key of ssh begins with: its type and the length of
// what follows.
const keyHeader = "\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"

// checkPublicKey returns what is wrong with a public key of ssh, or "".
//
// Source: RFC 8709, section 4.
func checkPublicKey(text string) string {
	fields := strings.Fields(text)
	const want = `as in the file id_ed25519.pub: "ssh-ed25519 AAAA…"`
	switch {
	case strings.Contains(text, "PRIVATE KEY"):
		return "is a private key, which belongs in no file of a pipeline; give the public one, " + want
	case len(fields) < 2:
		return "must be a type and a key, " + want
	case fields[0] != "ssh-ed25519":
		return "must be an Ed25519 key, " + want
	}
	data, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil || !strings.HasPrefix(string(data), keyHeader) || len(data) != len(keyHeader)+ed25519.PublicKeySize {
		return "is damaged: what follows ssh-ed25519 is no such key"
	}
	return ""
}

// parseShare reads a share of the entities, above 0, in whole basis points: 10% or 0.1.
func parseShare(text string) (Share, bool) {
	digits, percent := strings.CutSuffix(text, "%")
	r, ok := strictyaml.ParseRat(strings.TrimSpace(digits))
	if !ok {
		return 0, false
	}
	factor := int64(whole)
	if percent {
		factor /= 100
	}
	r.Mul(r, big.NewRat(factor, 1))
	if !r.IsInt() || r.Sign() <= 0 || r.Cmp(big.NewRat(int64(whole), 1)) > 0 {
		return 0, false
	}
	return Share(r.Num().Int64()), true
}
