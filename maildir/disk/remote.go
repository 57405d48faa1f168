package disk

import "golang.org/x/sys/unix"

// remote are the file systems that other machines may change, by the magic numbers
// of statfs(2).
var remote = map[uint32]bool{
	0x6969:     true, // NFS
	0x517b:     true, // SMB
	0xff534d42: true, // CIFS
	0xfe534d42: true, // SMB 2
	0x00c36400: true, // Ceph
	0x01021997: true, // 9P
	0x65735546: true, // FUSE: GlusterFS, sshfs
	0x5346414f: true, // AFS
	0x0bd00bd0: true, // Lustre
	0x47504653: true, // GPFS
	0x01161970: true, // GFS2
	0x7461636f: true, // OCFS2
}

// Remote reports whether the directory is on a file system that other machines
// may change: mappings are not shared with them there, and the kernel does not
// tell of their changes.
func (d *Dir) Remote() bool {
	var st unix.Statfs_t
	return unix.Fstatfs(d.fd, &st) == nil && remote[uint32(st.Type)]
}
