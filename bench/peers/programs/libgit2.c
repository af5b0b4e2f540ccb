/*
 * libgit2 as a peer of the benchmark:
 *
 *   libgit2 version
 *   libgit2 ingest <git-dir>    pack on standard input; writes .pack and .idx
 *   libgit2 serve <git-dir>     fetch request on standard input; writes a bare pack
 *
 * libgit2 has no server: its pack builder is what a server on top of it would use.
 */
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 65536

static void check(int result, const char *what)
{
	const git_error *error;

	if (result >= 0)
		return;
	error = git_error_last();
	fprintf(stderr, "%s: %s\n", what, error ? error->message : "failed");
	exit(1);
}

static void ingest(const char *git_dir)
{
	static char buffer[65536];
	char pack_dir[4096];
	git_indexer *indexer;
	git_indexer_progress progress;
	size_t length;

	memset(&progress, 0, sizeof(progress));
	snprintf(pack_dir, sizeof(pack_dir), "%s/objects/pack", git_dir);
	check(git_indexer_new(&indexer, pack_dir, 0, NULL, NULL), "indexer");
	while ((length = fread(buffer, 1, sizeof(buffer), stdin)) > 0)
		check(git_indexer_append(indexer, buffer, length, &progress), "append");
	check(git_indexer_commit(indexer, &progress), "commit");
	git_indexer_free(indexer);
}

/* Length of the payload, 0 for a flush or delimiter packet, -1 at the end. */
static int read_packet(char *payload)
{
	char digits[5] = { 0 };
	int length;

	if (fread(digits, 1, 4, stdin) != 4)
		return -1;
	length = (int)strtol(digits, NULL, 16) - 4;
	if (length <= 0)
		return 0;
	if (length >= MAX_LINE || fread(payload, 1, length, stdin) != (size_t)length)
		return -1;
	payload[length] = 0;
	return length;
}

/* A revwalk peels tags; the tag objects themselves are added here. */
static void add_tags(git_repository *repository, git_packbuilder *builder, const git_oid *id)
{
	git_object *object;

	check(git_object_lookup(&object, repository, id, GIT_OBJECT_ANY), "want");
	while (git_object_type(object) == GIT_OBJECT_TAG) {
		git_object *target;
		check(git_packbuilder_insert(builder, git_object_id(object), NULL), "tag");
		check(git_tag_target(&target, (git_tag *)object), "tag");
		git_object_free(object);
		object = target;
	}
	/* A ref may name a tree or a blob, which no revwalk can start from. */
	if (git_object_type(object) != GIT_OBJECT_COMMIT)
		check(git_packbuilder_insert_recur(builder, git_object_id(object), NULL), "want");
	git_object_free(object);
}

static int is_commit(git_repository *repository, const git_oid *id)
{
	git_object *object, *peeled;
	int result;

	check(git_object_lookup(&object, repository, id, GIT_OBJECT_ANY), "want");
	result = git_object_peel(&peeled, object, GIT_OBJECT_COMMIT) == 0;
	if (result)
		git_object_free(peeled);
	git_object_free(object);
	return result;
}

static int write_chunk(void *bytes, size_t length, void *payload)
{
	(void)payload;
	return fwrite(bytes, 1, length, stdout) == length ? 0 : -1;
}

static void serve(const char *git_dir)
{
	static char line[MAX_LINE];
	git_repository *repository;
	git_revwalk *walk;
	git_packbuilder *builder;
	git_oid id;
	int length;

	check(git_repository_open(&repository, git_dir), "open");
	check(git_revwalk_new(&walk, repository), "walk");
	check(git_packbuilder_new(&builder, repository), "builder");
	git_packbuilder_set_threads(builder, 0);
	while ((length = read_packet(line)) >= 0) {
		if (length < 45 || (strncmp(line, "want ", 5) && strncmp(line, "have ", 5)))
			continue;
		check(git_oid_fromstrn(&id, line + 5, 40), "id");
		if (line[0] == 'h') {
			check(git_revwalk_hide(walk, &id), "hide");
		} else {
			add_tags(repository, builder, &id);
			if (is_commit(repository, &id))
				check(git_revwalk_push(walk, &id), "push");
		}
	}
	check(git_packbuilder_insert_walk(builder, walk), "insert");
	check(git_packbuilder_foreach(builder, write_chunk, NULL), "write");
	fflush(stdout);
}

int main(int count, char **arguments)
{
	git_libgit2_init();
	if (count == 2 && !strcmp(arguments[1], "version")) {
		int major, minor, revision;
		git_libgit2_version(&major, &minor, &revision);
		printf("%d.%d.%d\n", major, minor, revision);
	} else if (count == 3 && !strcmp(arguments[1], "ingest")) {
		ingest(arguments[2]);
	} else if (count == 3 && !strcmp(arguments[1], "serve")) {
		serve(arguments[2]);
	} else {
		return 129;
	}
	return 0;
}
