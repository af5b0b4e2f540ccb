import java.io.File;
import org.eclipse.jgit.api.Git;
import org.eclipse.jgit.transport.PushResult;
import org.eclipse.jgit.transport.RefSpec;
import org.eclipse.jgit.transport.RemoteRefUpdate;

/** JGit as a client: {@code clone <url> <dir>}, {@code fetch <url> <dir>}, {@code push <url> <dir> <ref>}. */
public final class JGitClient {
  public static void main(String[] arguments) throws Exception {
    String url = arguments[1];
    File directory = new File(arguments[2]);
    if (arguments[0].equals("clone")) {
      Git.cloneRepository().setURI(url).setDirectory(directory).setBare(true).call().close();
      return;
    }
    try (Git git = Git.open(directory)) {
      if (arguments[0].equals("fetch")) {
        git.fetch().setRemote(url).setRefSpecs(new RefSpec("+refs/heads/*:refs/heads/*")).call();
        return;
      }
      String ref = arguments[3];
      for (PushResult result : git.push().setRemote(url).setRefSpecs(new RefSpec(ref + ":" + ref)).call()) {
        RemoteRefUpdate update = result.getRemoteUpdate(ref);
        if (update.getStatus() != RemoteRefUpdate.Status.OK) throw new Exception(update.toString());
      }
    }
  }
}
