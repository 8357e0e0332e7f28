package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// checkData says whether carillon can write its data folder. It writes nothing itself.
// findErr is why it is not known whether a carillon runs with the folder.
func checkData(folder string, server *running, findErr error) Finding {
	const check = "data"
	f := Finding{Check: check, Status: StatusProblem, Suffers: "carillon does not start, or refuses every message", Change: "set data to a folder of the user that runs carillon"}
	if findErr != nil {
		f.Status, f.Found = StatusWarning, fmt.Sprintf("%s: %v", folder, findErr)
		f.Suffers, f.Change = "nothing, unless it stays so", "run doctor again as the user that runs carillon, when it has printed ready"
		return f
	}
	info, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		above := filepath.Dir(folder)
		for _, err := os.Stat(above); err != nil && above != filepath.Dir(above); _, err = os.Stat(above) {
			above = filepath.Dir(above)
		}
		if err := unix.Access(above, unix.W_OK|unix.X_OK); err != nil {
			f.Found = fmt.Sprintf("%s does not exist, and this user may not make it in %s", folder, above)
			return f
		}
		return ok(check, "%s will be made at the first start", folder)
	}
	if err != nil {
		f.Found = err.Error()
		return f
	}
	if !info.IsDir() {
		f.Found = folder + " is not a folder"
		return f
	}
	if err := unix.Access(folder, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		f.Found = fmt.Sprintf("this user may not read and write %s", folder)
		return f
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(folder, &disk); err == nil {
		if free := disk.Bavail * uint64(disk.Bsize); free < 100<<20 {
			f.Found, f.Change = fmt.Sprintf("the disk of %s has %d MiB left", folder, free>>20), "make room"
			f.Suffers = "when it is full, messages are refused"
			return f
		}
	}
	if info.Mode().Perm()&0o077 != 0 {
		f.Status, f.Found = StatusWarning, fmt.Sprintf("%s can be read by other users of this machine (mode %04o)", folder, info.Mode().Perm())
		f.Suffers, f.Change = "others may read messages and the secrets that sign tokens", "chmod 700 "+folder
		return f
	}
	if server != nil {
		return ok(check, "%s is in use by carillon (pid %d)", folder, server.pid)
	}
	return ok(check, "%s can be written", folder)
}
