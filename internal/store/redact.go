package store

import (
	"net/url"
	"regexp"
	"strings"
)

const redacted = "REDACTED"

// harmless are the query parameters whose values everybody may see. All others
// may be secrets.
var harmless = map[string]bool{
	"accelerate": true, "anonymous": true, "awssdk": true, "cdn": true, "disable_https": true,
	"domain": true, "dualstack": true, "endpoint": true, "fips": true, "grpc": true,
	"hostname_immutable": true, "localemu": true, "prefix": true, "protocol": true, "region": true,
	"request_checksum_calculation": true, "response_checksum_validation": true,
	"s3ForcePathStyle": true, "ssetype": true, "storage_account": true, "universe_domain": true,
	"use_path_style": true, "zonal": true,
}

// redact replaces in a URL whatever might be a secret: user and password, the
// values of query parameters that are not known to be harmless, the fragment.
func redact(raw string) string {
	before, query, hasQuery := strings.Cut(raw, "?")
	before = userinfo.ReplaceAllString(before, "://"+redacted+"@")
	if !hasQuery {
		return before
	}
	query, _, _ = strings.Cut(query, "#")
	params := strings.Split(query, "&")
	for i, param := range params {
		name, value, hasValue := strings.Cut(param, "=")
		if !hasValue {
			params[i] = url.QueryEscape(name)
			continue
		}
		decoded, err := url.QueryUnescape(value)
		switch {
		case err != nil || !harmless[name]:
			value = redacted
		case userinfo.MatchString(decoded):
			value = userinfo.ReplaceAllString(decoded, "://"+redacted+"@")
		}
		params[i] = name + "=" + value
	}
	return before + "?" + strings.Join(params, "&")
}

var (
	// userinfo is what stands between a scheme and the last @ before the path.
	userinfo = regexp.MustCompile(`://[^/?#\s"]*@`)

	// secretParam is a query parameter that signs a request: the tokens of Azure
	// (sig), of S3 and Google (X-Amz-…, X-Goog-…), and what may carry passwords.
	secretParam = regexp.MustCompile(
		`(?i)([?&](?:sig|signature|awsaccesskeyid|x-amz-[a-z-]+|x-goog-[a-z-]+|[a-z_-]*(?:token|secret|password|key)[a-z_-]*)=)[^&\s"'>]+`)
)

// withoutSecrets returns err, with another text if its text might hold a secret:
// the errors of HTTP clients quote whole URLs.
func withoutSecrets(err error) error {
	text := err.Error()
	clean := userinfo.ReplaceAllString(text, "://"+redacted+"@")
	clean = secretParam.ReplaceAllString(clean, "${1}"+redacted)
	if clean == text {
		return err
	}
	return &shownError{text: clean, errs: []error{err}}
}

// withoutValues returns err without the values that redact hides in u: whoever
// refuses a URL quotes it.
func withoutValues(err error, u *url.URL) error {
	var secrets []string
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, password)
	}
	for name, values := range u.Query() {
		if !harmless[name] {
			secrets = append(secrets, values...)
		}
	}
	text := err.Error()
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, url.QueryEscape(secret), redacted)
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return &shownError{text: text, errs: []error{err}}
}

// A shownError shows another text than those of the errors that it wraps.
type shownError struct {
	text string
	errs []error
}

func (e *shownError) Error() string { return e.text }

func (e *shownError) Unwrap() []error { return e.errs }
