package metadata

import "fmt"

// Extra is what a config drive carries and the network service doesn't: it exists only while the guest is built and is
// not kept in the state.
type Extra struct {
	AdminPass string // in clear; empty leaves the key out
	Files     []File // files to place in the guest; Path is the absolute path there
}

// File is one file: of a config drive (a relative path, '/' between its parts) or of a guest.
type File struct {
	Path string
	Body []byte
}

// driveEC2Versions are the EC2 versions on a drive; the older ones are left out as OpenStack does by default.
var driveEC2Versions = []string{"2009-04-04", latest}

// ConfigDrive lists the files of a config drive in a fixed order. The volume's label must be config-2, and the file
// system must keep the names as they are (Rock Ridge). Source: legacy spec 2.7.
func ConfigDrive(rec Record, extra Extra) []File {
	var files []File
	for _, version := range driveEC2Versions {
		dir := "ec2/" + version + "/"
		if rec.UserData != nil {
			files = append(files, File{dir + "user-data", rec.UserData})
		}
		meta := node{dir: ec2MetaData(rec, version)}
		files = append(files, File{dir + "meta-data.json", encode(meta.plain())})
	}
	refs, contents := contentFiles(extra.Files)
	for _, version := range openstackVersions {
		for _, f := range openstackFiles {
			if !f.drive || !f.present(rec, version) {
				continue
			}
			body := f.body(rec, version)
			if f.name == "meta_data.json" {
				md := metaDataJSON(rec, version)
				md.AdminPass, md.Files = extra.AdminPass, refs
				body = encode(md)
			}
			files = append(files, File{"openstack/" + version + "/" + f.name, body})
		}
	}
	return append(files, contents...)
}

// contentFiles numbers the guest's files and places their bodies under openstack/content.
func contentFiles(files []File) (refs []contentRef, contents []File) {
	for i, f := range files {
		key := fmt.Sprintf("/content/%04d", i)
		refs = append(refs, contentRef{Path: f.Path, ContentPath: key})
		contents = append(contents, File{"openstack" + key, f.Body})
	}
	return refs, contents
}
