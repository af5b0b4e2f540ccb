import java.io.BufferedOutputStream;
import java.io.File;
import java.io.InputStream;
import java.io.OutputStream;
import org.eclipse.jgit.internal.storage.file.FileRepository;
import org.eclipse.jgit.lib.NullProgressMonitor;
import org.eclipse.jgit.lib.ObjectInserter;
import org.eclipse.jgit.transport.PackParser;
import org.eclipse.jgit.transport.UploadPack;

/**
 * JGit as a peer of the benchmark:
 *
 * <pre>
 * JGitPeer version
 * JGitPeer ingest &lt;git-dir&gt;    pack on standard input; writes .pack and .idx
 * JGitPeer serve &lt;git-dir&gt;     stateless protocol v0 request on standard input
 * </pre>
 */
public final class JGitPeer {
  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "version":
        System.out.println(PackParser.class.getPackage().getImplementationVersion());
        break;
      case "ingest":
        ingest(new FileRepository(new File(arguments[1])));
        break;
      case "serve":
        serve(new FileRepository(new File(arguments[1])));
        break;
      default:
        System.exit(129);
    }
  }

  private static void ingest(FileRepository repository) throws Exception {
    try (ObjectInserter inserter = repository.newObjectInserter()) {
      PackParser parser = inserter.newPackParser(System.in);
      parser.setAllowThin(true);
      parser.parse(NullProgressMonitor.INSTANCE);
      inserter.flush();
    }
  }

  private static void serve(FileRepository repository) throws Exception {
    UploadPack service = new UploadPack(repository);
    service.setBiDirectionalPipe(false);
    InputStream in = System.in;
    try (OutputStream out = new BufferedOutputStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), 1 << 16)) {
      service.upload(in, out, System.err);
    }
  }
}
