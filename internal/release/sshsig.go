package release

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// Namespace is what answers are signed for, so that a signature for something else does
// not fit: ssh-keygen -Y sign -n headgate.
const Namespace = "headgate"

// maxSignature bounds an armored signature, in bytes; one by Ed25519 has about 300.
const maxSignature = 4096

// magic begins an SSH signature's blob, and what is signed.
const magic = "SSHSIG"

// VerifySignature checks that an armored SSH signature was made over the message, for
// [Namespace], with the Ed25519 key, which is given as in authorized_keys.
//
// Source: PROTOCOL.sshsig of OpenSSH, version 1.
func VerifySignature(key, armored string, message []byte) error {
	public, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(key))
	if err != nil || len(options) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("the key is not one line as in authorized_keys")
	}
	if public.Type() != ssh.KeyAlgoED25519 {
		return fmt.Errorf("the key is %s; only %s is accepted", public.Type(), ssh.KeyAlgoED25519)
	}
	if len(armored) > maxSignature {
		return fmt.Errorf("the signature has %d bytes, over %d", len(armored), maxSignature)
	}
	block, tail := pem.Decode([]byte(armored))
	if block == nil || block.Type != "SSH SIGNATURE" || len(block.Headers) > 0 || len(bytes.TrimSpace(tail)) > 0 {
		return errors.New("it does not lie between BEGIN and END SSH SIGNATURE")
	}
	var blob struct {
		Version   uint32
		PublicKey string
		Namespace string
		Reserved  string
		Hash      string
		Signature string
	}
	body, ok := bytes.CutPrefix(block.Bytes, []byte(magic))
	if !ok || ssh.Unmarshal(body, &blob) != nil || blob.Version != 1 {
		return errors.New("it is no SSH signature of version 1")
	}
	if blob.PublicKey != string(public.Marshal()) {
		return errors.New("it was made with another key")
	}
	if blob.Namespace != Namespace {
		return fmt.Errorf("it was made for namespace %q, not %q", blob.Namespace, Namespace)
	}
	var sum []byte
	switch blob.Hash {
	case "sha512":
		s := sha512.Sum512(message)
		sum = s[:]
	case "sha256":
		s := sha256.Sum256(message)
		sum = s[:]
	default:
		return fmt.Errorf("its hash is %q, not sha256 or sha512", blob.Hash)
	}
	var sig ssh.Signature
	if ssh.Unmarshal([]byte(blob.Signature), &sig) != nil || len(sig.Rest) > 0 || sig.Format != ssh.KeyAlgoED25519 {
		return errors.New("it holds no Ed25519 signature")
	}
	signed := append([]byte(magic), ssh.Marshal(struct{ Namespace, Reserved, Hash, Sum string }{
		blob.Namespace, blob.Reserved, blob.Hash, string(sum)})...)
	if public.Verify(signed, &sig) != nil {
		return errors.New("it is not of these bytes")
	}
	return nil
}
