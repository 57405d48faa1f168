package password

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Hashes of "secret" as other programs made them: doveadm pw (Dovecot) and
// crypt(3) of libxcrypt.
var foreign = map[string]string{
	"argon2id of Dovecot":          "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$ofAGGZfogA4D6U+NWQw+3A$1swR7Ljgbr/dwy4rITfGX+R3HOQwBNoiijUHUSn4mwc",
	"bcrypt of Dovecot":            "{BLF-CRYPT}$2y$05$T7POro/aE9j.k5ialstklemgKWM.UMI8Yw9CPET0b2g70PkL3jdxa",
	"bcrypt by its common name":    "{BCRYPT}$2y$05$T7POro/aE9j.k5ialstklemgKWM.UMI8Yw9CPET0b2g70PkL3jdxa",
	"SHA-512 of Dovecot":           "{SHA512-CRYPT}$6$vtD6Je8HklUsqrYz$2q3v1zGwHVTZLltz1yIxwG67Xye/1ldkJYB8U/WMkM4u0p/3KzyTiZnDEkMyoXJrIRMidJrToWlq798TO3cN71",
	"SHA-512 with rounds":          "{SHA512-CRYPT}$6$rounds=1000$abc$MqEcPZUYRGGcOeq7PhMpfjfu/F0HrVEI0OlZBijWvO8mSG77iNUDP5MqFceKpJTBc8iITVtNyLiNTRNCxv6oh0",
	"SHA-256 of Dovecot":           "{SHA256-CRYPT}$5$mctEyCHiqeqhQNr8$/BR4gSo0lfclc7radmO9uh/2OzSQRTBpCU/WSoAqQW5",
	"SCRAM of Dovecot":             "{SCRAM-SHA-256}4096,Fi2ikVnFct9e8bEunOlEbg==,RSfY54Qtsv6pJCTvwGCsFR8V3mriXwkcLvdS90/M1i4=,fMl3pQsgUIPOaVyPzB+oFABXdzy3Ftc3Z0IABIIz2vc=",
	"yescrypt of Debian":           "{CRYPT}$y$j9T$saltsaltsalt/saltsa1$IeS5qxTDE3pqagXoF1ktgegKT2WACxOghiRLInyOujC",
	"yescrypt, cheaper":            "{CRYPT}$y$j75$saltsaltsalt/saltsa1$Fbo6T.LM4fTwWOAzK9cXSi7jIug6dXWzmY//KDOxeU3",
	"crypt without a scheme":       "$5$mctEyCHiqeqhQNr8$/BR4gSo0lfclc7radmO9uh/2OzSQRTBpCU/WSoAqQW5",
	"a scheme in lower case":       "{sha256-crypt}$5$mctEyCHiqeqhQNr8$/BR4gSo0lfclc7radmO9uh/2OzSQRTBpCU/WSoAqQW5",
	"CRYPT takes bcrypt as well":   "{CRYPT}$2y$05$T7POro/aE9j.k5ialstklemgKWM.UMI8Yw9CPET0b2g70PkL3jdxa",
	"plain text, which is no hash": "{PLAIN}secret",
}

func TestVerifyHashesOfOthers(t *testing.T) {
	t.Parallel()
	for name, stored := range foreign {
		for plain, want := range map[string]bool{"secret": true, "Secret": false, "secret ": false} {
			if got, err := Verify(stored, plain); got != want || err != nil {
				t.Errorf("%s, password %q: %v, %v; want %v", name, plain, got, err, want)
			}
		}
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	one, err := Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	two, err := Hash("secret")
	if err != nil || one == two {
		t.Errorf("two hashes of one password are equal: %s, %v", one, err)
	}
	if !strings.HasPrefix(one, "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$") || strings.ContainsAny(one, ":\n") {
		t.Errorf("hash %q is not what users(5) says", one)
	}
	for plain, want := range map[string]bool{"secret": true, "other": false, "": false} {
		if ok, err := Verify(one, plain); ok != want || err != nil {
			t.Errorf("password %q: %v, %v; want %v", plain, ok, err, want)
		}
	}
}

func TestA03_EmptyNeverMatches(t *testing.T) {
	t.Parallel()
	empty, err := Hash("")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := Verify(empty, ""); ok {
		t.Error("an empty password matches its own hash")
	}
	for _, stored := range []string{"", "{PLAIN}", "{CRYPT}", "{}", "x", "*", "!", "!!"} {
		for _, plain := range []string{"", "x", "*", "!"} {
			if ok, err := Verify(stored, plain); ok || err == nil {
				t.Errorf("stored %q, password %q: %v, %v; want an error", stored, plain, ok, err)
			}
		}
	}
}

// A hash that asks for too much is an error before any work is done: with the
// work, each of these would run out of the test's time or the host's memory.
func TestA20_CostIsBounded(t *testing.T) {
	t.Parallel()
	const key = "$c2FsdHNhbHRzYWx0$Zm9yIHdob2V2ZXIgaXMgbm90IGluIHRoZSBmaWxlIC0"
	for _, stored := range []string{
		"{ARGON2ID}$argon2id$v=19$m=4294967295,t=1,p=1" + key,
		"{ARGON2ID}$argon2id$v=19$m=262145,t=1,p=1" + key,
		"{ARGON2ID}$argon2id$v=19$m=65536,t=4294967295,p=1" + key,
		"{ARGON2ID}$argon2id$v=19$m=65536,t=2,p=4294967295" + key,
		"{ARGON2ID}$argon2id$v=19$m=0,t=0,p=0" + key,
		"{ARGON2ID}$argon2id$v=19$t=1,p=1" + key,
		"{ARGON2ID}$argon2id$v=19$m=65536,t=1,p=1$c2FsdA$" + strings.Repeat("A", 4096),
		"{BCRYPT}$2y$31$T7POro/aE9j.k5ialstklemgKWM.UMI8Yw9CPET0b2g70PkL3jdxa",
		"{SHA512-CRYPT}$6$rounds=999999999$abc$MqEcPZUYRGGcOeq7PhMpfjfu",
		"{SHA512-CRYPT}$6$rounds=0$abc$MqEcPZUYRGGcOeq7PhMpfjfu",
		"{CRYPT}$y$jzT$saltsaltsalt/saltsa1$IeS5qxTDE3pqagXoF1ktgegKT2WACxOghiRLInyOujC",
		"{CRYPT}$y$j9z$saltsaltsalt/saltsa1$IeS5qxTDE3pqagXoF1ktgegKT2WACxOghiRLInyOujC",
		"{SCRAM-SHA-256}2147483647,Fi2ikVnFct9e8bEunOlEbg==,RSfY54Qtsv6pJCTvwGCsFR8V3mriXwkcLvdS90/M1i4=,fMl3pQsgUIPOaVyPzB+oFABXdzy3Ftc3Z0IABIIz2vc=",
		"{SCRAM-SHA-256}0,Fi2ikVnFct9e8bEunOlEbg==,RSfY54Qtsv6pJCTvwGCsFR8V3mriXwkcLvdS90/M1i4=,fMl3pQsgUIPOaVyPzB+oFABXdzy3Ftc3Z0IABIIz2vc=",
	} {
		if err := Check(stored); err == nil {
			t.Errorf("%.60s: no error", stored)
		}
	}
}

func TestSchemeAndFormatMustAgree(t *testing.T) {
	t.Parallel()
	for _, stored := range []string{
		"{ARGON2ID}$6$vtD6Je8HklUsqrYz$2q3v1zGwHVTZLltz1yIxw",
		"{SHA512-CRYPT}$5$mctEyCHiqeqhQNr8$/BR4gSo0lfclc7radmO9uh/2OzSQRTBpCU/WSoAqQW5",
		"{MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
		"{CRYPT}$1$abc$def", "{CRYPT}ab0123456789.", "{PLAIN", "{CRYPT}$$$$", "{CRYPT}$y$$$",
	} {
		if ok, err := Verify(stored, "secret"); ok || err == nil {
			t.Errorf("%s: %v, %v; want an error", stored, ok, err)
		}
	}
}

// O03: whatever is wrong with a stored hash, the error does not repeat it: it
// goes to the log.
func TestO03_ErrorsKeepTheSecret(t *testing.T) {
	t.Parallel()
	const canary = "C4nary"
	for _, form := range []string{
		"%s", "{%s", "{PLAIN%s", "{CRYPT}%s", "{CRYPT}$%s$x$y", "{ARGON2ID}$argon2id$v=19$m=%s,t=1,p=1$a$b",
		"{ARGON2ID}$argon2id$v=%s$m=64,t=1,p=1$a$b", "{ARGON2ID}$argon2id$v=19$m=64,t=1,p=1,%s=1$a$b",
		"{ARGON2ID}$argon2id$v=19$m=64,t=1,p=1$%s$!", "{BCRYPT}$2y$05$%s", "{SHA512-CRYPT}$6$rounds=%s$a$b",
		"{CRYPT}$y$%s$a$b", "{CRYPT}$y$j9T$%s$!", "{SCRAM-SHA-256}4096,%s,!,!", "{SCRAM-SHA-256}%s",
	} {
		stored := fmt.Sprintf(form, canary)
		if err := Check(stored); err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: error repeats it: %v", stored, err)
		}
	}
}

// The hash that stands in for a user who does not exist must cost what a new
// user's costs, or its cost is no disguise.
func TestA01_NobodyCostsWhatANewUserDoes(t *testing.T) {
	t.Parallel()
	h, err := Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	cost := func(s string) string { return s[:strings.LastIndex(s[:strings.LastIndex(s, "$")], "$")] }
	if cost(h) != cost(nobody) {
		t.Errorf("nobody costs %s, a new user %s", cost(nobody), cost(h))
	}
	if ok, err := Verify(nobody, "secret"); ok || err != nil {
		t.Errorf("verify nobody: %v, %v", ok, err)
	}
	if lengths := []int{len(h), len(nobody)}; lengths[0] != lengths[1] {
		t.Errorf("lengths of hashes differ: %v", lengths)
	}
}

// A17: secrets are compared in constant time, so nothing in this package
// compares strings or bytes in any other way than by subtle.
func TestA17_ComparesInConstantTime(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no source here", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"bytes.Equal", "slices.Equal", "strings.EqualFold", "== string(", "== password", "== plain"} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s compares with %s", name, bad)
			}
		}
	}
}

// FuzzParse holds that a hash that is accepted costs no more than the bounds
// and that a scheme's name has no case. It computes no hash.
func FuzzParse(f *testing.F) {
	for _, stored := range foreign {
		f.Add(stored)
	}
	f.Add("{CRYPT}$y$j9T$$")
	f.Fuzz(func(t *testing.T, stored string) {
		err := Check(stored)
		name, text, ok := strings.Cut(stored, "}")
		if !ok {
			return
		}
		if again := Check(strings.ToLower(name) + "}" + text); (again == nil) != (err == nil) {
			t.Fatalf("%q: %v, in lower case %v", stored, err, again)
		}
	})
}
