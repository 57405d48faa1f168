package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rohrpost/scripts/interop/corpus"
	"rohrpost/scripts/interop/host"
)

// A shelf is what lies in a Maildir tree: by folder and by name of the message its
// flags, the letters of the file's name in order. Messages whose flags are never
// asked for have anyFlags.
type shelf map[string]map[string]string

const anyFlags = "*"

// seeded is the shelf before the client comes.
func (v *visit) seeded() shelf {
	s := shelf{"INBOX": {}, archive: {}, umlaut: {}}
	for _, m := range v.sent {
		s["INBOX"][m.Name] = ""
	}
	return s
}

// move is what the client is expected to do; it keeps flags.
func (s shelf) move(name, from, to string) {
	s[to][name] = s[from][name]
	delete(s[from], name)
}

// seen adds a flag to all messages of a folder.
func (s shelf) seen(folder string) {
	for name, flags := range s[folder] {
		if !strings.Contains(flags, "S") && flags != anyFlags {
			s[folder][name] = sorted(flags + "S")
		}
	}
}

func sorted(flags string) string {
	b := []byte(flags)
	slices.Sort(b)
	return string(b)
}

// differs says where the shelf is not as wanted, "" if nowhere.
func (s shelf) differs(want shelf) string {
	var all []string
	for folder := range both(s, want) {
		for name := range both(s[folder], want[folder]) {
			got, is := s[folder][name]
			flags, should := want[folder][name]
			switch {
			case !is:
				all = append(all, fmt.Sprintf("%q is not in %s", name, folder))
			case !should:
				all = append(all, fmt.Sprintf("%q (flags %q) is in %s, and nobody put it there", name, got, folder))
			case got != flags && flags != anyFlags:
				all = append(all, fmt.Sprintf("%q in %s has flags %q, should have %q", name, folder, got, flags))
			}
		}
		if (s[folder] == nil) != (want[folder] == nil) {
			all = append(all, fmt.Sprintf("folder %s is there: %v", folder, s[folder] != nil))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n    ")
}

// both are the keys of two maps.
func both[V any](a, b map[string]V) map[string]bool {
	keys := map[string]bool{}
	for _, m := range []map[string]V{a, b} {
		for k := range maps.Keys(m) {
			keys[k] = true
		}
	}
	return keys
}

// asExpected checks that the account's Maildir is what is expected by now, with every
// message of ours byte for byte.
func (v *visit) asExpected(when string) {
	s, wrong := v.read(v.folders())
	if wrong == "" {
		wrong = s.differs(v.expects)
	}
	v.check("the Maildir "+when, wrong)
}

// folders are the directories of the account by the names of the folders.
func (v *visit) folders() map[string]string {
	dirs := map[string]string{"INBOX": v.folder("INBOX")}
	found, err := filepath.Glob(filepath.Join(v.Maildir(v.user), ".*", "cur"))
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, cur := range found {
		dir := filepath.Dir(cur)
		dirs[strings.TrimPrefix(filepath.Base(dir), ".")] = dir
	}
	return dirs
}

// read reads Maildirs. wrong is what cannot be right with any client.
func (v *visit) read(dirs map[string]string) (s shelf, wrong string) {
	s = shelf{}
	for folder, dir := range dirs {
		s[folder] = map[string]string{}
		for _, path := range messageFiles(dir) {
			text, err := os.ReadFile(path)
			if err != nil {
				return nil, err.Error()
			}
			name := nameOf(text, v.sent)
			if _, twice := s[folder][name]; twice {
				return nil, fmt.Sprintf("%q is twice in %s", name, folder)
			}
			if wrong := v.damaged(name, text); wrong != "" {
				return nil, fmt.Sprintf("%q in %s has changed: %s", name, folder, wrong)
			}
			_, s[folder][name], _ = strings.Cut(path, ":2,")
		}
	}
	return s, ""
}

// messageFiles are the files in new and cur.
func messageFiles(dir string) []string {
	return append(host.Files(filepath.Join(dir, "new")), host.Files(filepath.Join(dir, "cur"))...)
}

// damaged compares a text with the message sent that has this name, if there is one,
// but for the header lines of deliver and what the client does itself.
func (v *visit) damaged(name string, text []byte) string {
	i := slices.IndexFunc(v.sent, func(m corpus.Message) bool { return m.Name == name })
	if i < 0 {
		return ""
	}
	sent := v.sent[i].Text
	if v.clean != nil {
		sent, text = v.clean(sent), v.clean(text)
	}
	if text = corpus.Strip(text); !bytes.Equal(text, sent) {
		return fmt.Sprintf("\n    sent %.300q\n    now  %.300q", sent, text)
	}
	return ""
}

var (
	ourID   = regexp.MustCompile(`(?mi)^Message-ID: <(\d+)\.[^@>]*@client\.example\.org>`)
	subject = regexp.MustCompile(`(?mi)^Subject: (.*)$`)
)

// nameOf tells which of the messages sent this is; of others it is the subject.
func nameOf(text []byte, sent []corpus.Message) string {
	head, _, _ := bytes.Cut(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	if m := ourID.FindSubmatch(head); m != nil {
		if n, err := strconv.Atoi(string(m[1])); err == nil && n < len(sent) {
			return sent[n].Name
		}
	}
	if m := subject.FindSubmatch(head); m != nil {
		return string(m[1])
	}
	return fmt.Sprintf("%.60q", text)
}

// allRead checks that the files, which a client wrote, are the messages sent, each
// once and byte for byte but for line ends.
func (v *visit) allRead(how string, files []string) {
	v.check(how, v.notAllRead(files))
}

func (v *visit) notAllRead(files []string) string {
	read := map[string]bool{}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err.Error()
		}
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		name := nameOf(text, v.sent)
		if read[name] {
			return fmt.Sprintf("%q was read twice", name)
		}
		if wrong := v.damaged(name, text); wrong != "" {
			return fmt.Sprintf("%q has changed: %s", name, wrong)
		}
		read[name] = true
	}
	if len(read) != len(v.sent) {
		return fmt.Sprintf("%d messages were read, %d are there", len(read), len(v.sent))
	}
	return ""
}
