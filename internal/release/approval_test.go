package release

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/tools/txtar"
)

// fixture returns what ssh-keygen made, by name.
func fixture(t testing.TB) map[string]string {
	archive, err := txtar.ParseFile("testdata/sshsig.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.Files {
		files[f.Name] = string(f.Data)
	}
	return files
}

// signed is the answer that the fixture's message is of.
func signed() Approval {
	return Approval{Format: 1, Pipeline: "retailer", Release: "2024-08/retrain", Step: "10%", Model: "sha256:" + strings.Repeat("b", 64),
		Decision: "sha256:" + strings.Repeat("d", 64), Answer: Approve, By: "ann", Role: "owner", Reason: "AUC +.06 & calibration <fine>",
		Nonce: "00112233aabbccdd", Expires: time.Date(2024, 8, 8, 2, 0, 0, 999, time.FixedZone("CEST", 7200))}
}

func TestPayloadIsWhatWasSigned(t *testing.T) {
	a := signed()
	a.Signature = "something"
	if got, want := string(a.Payload()), fixture(t)["message"]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVerifySignature(t *testing.T) {
	f := fixture(t)
	ann := f["ann.pub"]
	tests := []struct {
		name, key, sig, message, err string
	}{
		{"by ssh-keygen", ann, f["ann.sig"], f["message"], ""},
		{"with SHA-256", ann, f["sha256.sig"], f["message"], ""},
		{"a key without a comment", strings.Join(strings.Fields(ann)[:2], " "), f["ann.sig"], f["message"], ""},
		{"lines end as on Windows", ann, strings.ReplaceAll(f["ann.sig"], "\n", "\r\n"), f["message"], ""},
		{"other bytes", ann, f["ann.sig"], f["message"] + " ", "not of these bytes"},
		{"somebody else's key", ann, f["eve.sig"], f["message"], "another key"},
		{"signed as a file", ann, f["file.sig"], f["message"], `namespace "file"`},
		{"a kind of key that is not accepted", f["rsa.pub"], f["rsa.sig"], f["message"], "ssh-rsa"},
		{"an RSA signature for an Ed25519 key", ann, f["rsa.sig"], f["message"], "another key"},
		{"no armor", ann, "U1NIU0lH", f["message"], "BEGIN and END"},
		{"something after it", ann, f["ann.sig"] + "x", f["message"], "BEGIN and END"},
		{"cut off", ann, f["ann.sig"][:120] + "\n-----END SSH SIGNATURE-----\n", f["message"], "BEGIN and END"},
		{"too long", ann, strings.Repeat(" ", 4000) + f["ann.sig"], f["message"], "over 4096"},
		{"no key", "", f["ann.sig"], f["message"], "authorized_keys"},
		{"two keys", ann + f["eve.pub"], f["ann.sig"], f["message"], "authorized_keys"},
		{"a key with options", "no-pty " + ann, f["ann.sig"], f["message"], "authorized_keys"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := VerifySignature(tt.key, tt.sig, []byte(tt.message))
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

// sign makes an SSH signature as PROTOCOL.sshsig says; the fields can be wrong.
func sign(key ed25519.PrivateKey, namespace, hash, format string, version uint32, message []byte) (public, armored string) {
	pub, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	sum := sha512.Sum512(message)
	data := append([]byte(magic), ssh.Marshal(struct{ N, R, H, S string }{namespace, "", hash, string(sum[:])})...)
	sig := ssh.Marshal(struct {
		Format string
		Blob   []byte
	}{format, ed25519.Sign(key, data)})
	blob := append([]byte(magic), ssh.Marshal(struct {
		Version       uint32
		P, N, R, H, S string
	}{version, string(pub.Marshal()), namespace, "", hash, string(sig)})...)
	return string(ssh.MarshalAuthorizedKey(pub)), string(pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: blob}))
}

func testKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a key that is only for the tests"))
}

func TestVerifySignatureReadsTheFormat(t *testing.T) {
	tests := []struct {
		name, namespace, hash, format string
		version                       uint32
		err                           string
	}{
		{"as it should be", "headgate", "sha512", "ssh-ed25519", 1, ""},
		{"version 2", "headgate", "sha512", "ssh-ed25519", 2, "version 1"},
		{"no namespace", "", "sha512", "ssh-ed25519", 1, `namespace ""`},
		{"a hash that nobody trusts", "headgate", "sha1", "ssh-ed25519", 1, `"sha1"`},
		{"another algorithm in the signature", "headgate", "sha512", "ssh-rsa", 1, "no Ed25519 signature"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			public, armored := sign(testKey(), tt.namespace, tt.hash, tt.format, tt.version, []byte("m"))
			err := VerifySignature(public, armored, []byte("m"))
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

func FuzzVerifySignature(f *testing.F) {
	files := fixture(f)
	f.Add(files["ann.pub"], files["ann.sig"], files["message"])
	f.Add(files["eve.pub"], files["file.sig"], "")
	message := files["message"]
	f.Fuzz(func(t *testing.T, key, armored, said string) {
		if VerifySignature(key, armored, []byte(said)) == nil && VerifySignature(key, armored, []byte(said+message)) == nil {
			t.Error("one signature of two messages")
		}
	})
}

// asking returns a world that asks whether m1 may enter 10 %, and an answer that counts.
func asking(set Settings) (*world, Approval) {
	w := newWorld(set)
	w.add(Event{Kind: EventPromote, Model: "m0"})
	w.add(Event{Kind: EventCandidate, Release: "r", Model: "m1", Batch: "2024-05", By: "retrain"})
	w.publish("2024-06", "run", "m0", nil)
	w.add(Event{Kind: EventEvaluated, Batch: "2024-06", Run: "run", Model: "m0"})
	w.settle()
	q := Questions(w.state(), set, w.now)[0]
	return w, Approval{Format: Format, Release: q.Release, Step: q.Step, Model: q.Model, Decision: q.Decision, Nonce: q.Nonce, Answer: Approve,
		By: "ann", Reason: "seen", Expires: w.now.Add(time.Hour)}
}

func TestCheckApproval(t *testing.T) {
	public, _ := sign(testKey(), Namespace, "sha512", "ssh-ed25519", 1, nil)
	set := with(func(s *Settings) {
		s.Approve, s.Role, s.FourEyes = []string{"10%"}, "owner", true
		s.People = []Person{{Name: "ann", Roles: []string{"owner"}, Key: public}, {Name: "bob", Roles: []string{"owner"}},
			{Name: "carl", Roles: []string{"guest"}}, {Name: "retrain", Roles: []string{"owner"}}}
	})
	tests := []struct {
		name   string
		change func(*Approval)
		set    func(*Settings)
		err    string
	}{
		{"as it should be", func(a *Approval) {}, nil, ""},
		{"without an end", func(a *Approval) { a.Expires = time.Time{} }, nil, ""},
		{"a rejection", func(a *Approval) { a.Answer = Reject }, nil, ""},
		{"a rejection by who asked for the release", func(a *Approval) { a.Answer, a.By = Reject, "retrain" }, nil, ""},
		{"a rejection of all candidates", func(a *Approval) { a.Answer, a.Model, a.Nonce = Reject, "", "" }, nil, ""},
		{"another format", func(a *Approval) { a.Format = 2 }, nil, "format 2"},
		{"neither yes nor no", func(a *Approval) { a.Answer = "perhaps" }, nil, "neither approve nor reject"},
		{"without a reason", func(a *Approval) { a.Reason = "" }, nil, "a name and a reason"},
		{"no such release", func(a *Approval) { a.Release = "s" }, nil, `no release "s"`},
		{"out of date", func(a *Approval) { a.Expires = a.Expires.Add(-2 * time.Hour) }, nil, "counted until"},
		{"a stranger", func(a *Approval) { a.By = "eve" }, nil, "eve is not among"},
		{"without the role", func(a *Approval) { a.By = "carl" }, nil, "carl does not have the role owner"},
		{"in a role that is not theirs", func(a *Approval) { a.Role = "risk" }, nil, "as risk"},
		{"who asked for the release", func(a *Approval) { a.By = "retrain" }, nil, "four eyes"},
		{"another step", func(a *Approval) { a.Step = "100%" }, nil, "step 100% of r is not asked about now, but step 10% of r is"},
		{"another model", func(a *Approval) { a.Model = "m2" }, nil, "asked about m1"},
		{"other evidence", func(a *Approval) { a.Decision = "d1" }, nil, "about decision d1"},
		{"the nonce of another question", func(a *Approval) { a.Nonce = "1" }, nil, "another question"},
		{"a rejection of no candidate", func(a *Approval) { a.Answer, a.Model = Reject, "m2" }, nil, "no candidate"},
		{"not signed", func(a *Approval) {}, func(s *Settings) { s.Signed = true }, "not signed"},
		{"signed", func(a *Approval) {
			_, a.Signature = sign(testKey(), Namespace, "sha512", "ssh-ed25519", 1, a.Payload())
		},
			func(s *Settings) { s.Signed, s.FourEyes = true, false }, ""},
		{"signed before it was changed", func(a *Approval) {
			_, a.Signature = sign(testKey(), Namespace, "sha512", "ssh-ed25519", 1, a.Payload())
			a.Reason = "not seen"
		}, nil, "not of these bytes"},
		{"signed by somebody without a key", func(a *Approval) {
			a.By = "bob"
			_, a.Signature = sign(testKey(), Namespace, "sha512", "ssh-ed25519", 1, a.Payload())
		}, nil, "no key of bob"},
		{"anybody, if nobody is named", func(a *Approval) { a.By = "eve" }, func(s *Settings) { s.People, s.Role = nil, "" }, ""},
		{"nobody, if a role is named and no people", func(a *Approval) {}, func(s *Settings) { s.People = nil }, "not among"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, a := asking(set)
			changed := set
			if tt.set != nil {
				tt.set(&changed)
			}
			tt.change(&a)
			err := CheckApproval(w.state(), changed, a, w.now)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

func TestAnAnswerComesTooLate(t *testing.T) {
	w, a := asking(with(func(s *Settings) { s.Approve = []string{"10%"} }))
	answer := func(err string) {
		t.Helper()
		got := CheckApproval(w.state(), w.set, a, w.now)
		if (got == nil) != (err == "") || got != nil && !strings.Contains(got.Error(), err) {
			t.Errorf("got %v, want %q", got, err)
		}
	}
	answer("")
	a.Expires = time.Time{}
	w.now = w.now.Add(w.set.Expire)
	answer("nothing is asked")
	w.add(Event{Kind: EventControl, Control: Resume, By: "ops"})
	answer("another question")
	a.Nonce = Questions(w.state(), w.set, w.now)[0].Nonce
	answer("")
	w.add(Event{Kind: EventApproval, Answer: Approve, Release: a.Release, Step: a.Step, Model: a.Model, Decision: a.Decision, By: "ann"})
	w.settle()
	answer("nothing is asked")
	a.Answer = Reject
	answer("")
	w.add(Event{Kind: EventApproval, Answer: Reject, Release: a.Release, Step: a.Step, Model: a.Model, By: "ann"})
	answer("ann rejected m1 already")
	w.settle()
	answer("was rejected already")
	a.Model = ""
	answer("no candidate left")
}

func TestCheckControl(t *testing.T) {
	w, _ := asking(with(func(s *Settings) { s.Approve = []string{"10%"} }))
	check := func(control, model, batch, err string) {
		t.Helper()
		got := CheckControl(w.state(), w.set, control, model, batch, w.now)
		if (got == nil) != (err == "") || got != nil && !strings.Contains(got.Error(), err) {
			t.Errorf("%s %s %s: got %v, want %q", control, model, batch, got, err)
		}
	}
	check("stop", "", "", "none of")
	check(Resume, "", "", "nothing waits")
	check(Hold, "", "", "")
	check(Rollback, "", "", "no champion before")
	check(Rollback, "m1", "", "never was the champion")
	check(Rollback, "", "2024-01", "never published")
	check(Rollback, "m0", "2024-06", "")
	w.add(Event{Kind: EventControl, Control: Hold, By: "ops", Reason: "a holiday"})
	check(Hold, "", "", "ops holds already: a holiday")
	check(Resume, "", "", "")
	if got := CheckControl(Fold(nil), w.set, Rollback, "", "", w.now); got == nil || !strings.Contains(got.Error(), "no champion yet") {
		t.Errorf("got %v", got)
	}
}

func TestCheckCandidate(t *testing.T) {
	w, _ := asking(with(func(s *Settings) { s.Approve = []string{"10%"} }))
	w.add(Event{Kind: EventRejected, Model: "m9", Reason: "bad"})
	for model, want := range map[string]string{"m0": "is the champion already", "m1": "candidate of release r already", "m9": "entry 8: bad", "m2": ""} {
		got := CheckCandidate(w.state(), model)
		if (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
			t.Errorf("%s: got %v, want %q", model, got, want)
		}
	}
	w, _ = asking(strategies["alone"])
	w.add(Event{Kind: EventPromote, Release: "r", Model: "m1"})
	if got := CheckCandidate(w.state(), "m0"); got == nil || !strings.Contains(got.Error(), "still watched") {
		t.Errorf("got %v", got)
	}
}
