package control

import (
	"os"
	"path/filepath"
)

// Where queue and mail lie if nothing else says so.
const (
	DefaultQueue = "/var/spool/rohrpost/queue"
	DefaultMail  = "/var/mail/rohrpost"
)

// Queue is the path of the queue: flag, then ROHRPOST_QUEUE, then the file
// queue, then DefaultQueue.
func (d Dir) Queue(flag string) (string, error) {
	return d.path(flag, "ROHRPOST_QUEUE", "queue", DefaultQueue)
}

// Mail is the path of the directory under which homes lie that users(5) leaves
// empty: flag, then ROHRPOST_MAIL, then the file mail, then DefaultMail.
func (d Dir) Mail(flag string) (string, error) {
	return d.path(flag, "ROHRPOST_MAIL", "mail", DefaultMail)
}

// path is a setting that names a directory. In the file, a relative path starts
// at the configuration directory, so that a home which holds etc, mail and
// queue can be moved as a whole.
func (d Dir) path(flag, env, name, def string) (string, error) {
	if flag != "" {
		return filepath.Abs(flag)
	}
	if path := os.Getenv(env); path != "" {
		return filepath.Abs(path)
	}
	path, err := d.Value(name, def)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.Path, path)
	}
	return filepath.Abs(path)
}
