package workflows_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"

	"headgate/internal/release"
	"headgate/workflows"
)

// signer is ann's key, and publicKey what the pipeline file has of it.
var signer, publicKey = func() (ssh.Signer, string) {
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		panic(err)
	}
	return s, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey())))
}()

// signed is a rejection of the question that is open, signed as ssh-keygen -Y sign does.
func (th *theatre) signed(by string) workflows.ReleaseAnswer {
	th.t.Helper()
	q := th.card().Next
	a := workflows.ReleaseAnswer{By: by, Reason: "not now", Decision: q.Decision, Nonce: q.Nonce, Expires: q.Until, Release: q.Release, Step: q.Step, Model: q.Model}
	a.Signature = sshsig(th, a.Approval("retailer", release.Reject).Payload())
	return a
}

// sshsig signs a message. Source: PROTOCOL.sshsig of OpenSSH, version 1.
func sshsig(th *theatre, message []byte) string {
	const magic = "SSHSIG"
	sum := sha512.Sum512(message)
	what := append([]byte(magic), ssh.Marshal(struct{ Namespace, Reserved, Hash, Sum string }{release.Namespace, "", "sha512", string(sum[:])})...)
	sig, err := signer.Sign(rand.Reader, what)
	if err != nil {
		th.t.Fatal(err)
	}
	blob := append([]byte(magic), ssh.Marshal(struct {
		Version                                         uint32
		PublicKey, Namespace, Reserved, Hash, Signature string
	}{1, string(signer.PublicKey().Marshal()), release.Namespace, "", "sha512", string(ssh.Marshal(sig))})...)
	return string(pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: blob}))
}
