// Claims a device: java Claim.java URL E-MAIL PASSWORD DEVICE SECRET        (Java 17 or newer)
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;

public class Claim {
  static final int ATTEMPTS = 5;
  static final HttpClient HTTP = HttpClient.newHttpClient();

  public static void main(String[] args) throws Exception {
    System.out.println(claim(args[0], args[1], args[2], args[3], args[4]));
  }

  static String claim(String url, String email, String password, String device, String secret) throws Exception {
    var login = post(url + "/api/auth/login",
        "{\"username\": " + json(email) + ", \"password\": " + json(password) + "}");
    if (login.statusCode() != 200) return field(login.body(), "message");

    var name = URLEncoder.encode(device, StandardCharsets.UTF_8).replace("+", "%20");
    var answer = post(url + "/api/customer/device/" + name + "/claim", "{\"secretKey\": " + json(secret) + "}",
        "X-Authorization", "Bearer " + field(login.body(), "token"),
        "Idempotency-Key", UUID.randomUUID().toString()); // one for all attempts: a lost answer is given again
    if (answer.statusCode() == 200) return field(answer.body(), "response"); // SUCCESS
    if (!answer.body().startsWith("\"")) return field(answer.body(), "message");
    var refusal = answer.headers().firstValue("Claim-Refusal").orElse("");
    return (answer.body().replace("\"", "") + " " + refusal).trim(); // FAILURE or CLAIMED, and why
  }

  /** Asks again after 503, 429, and when no answer came. */
  static HttpResponse<String> post(String url, String body, String... headers) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10))
        .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) request.headers(headers);
    for (int attempt = 1; ; attempt++) {
      long waitSeconds = 1;
      try {
        var answer = HTTP.send(request.build(), BodyHandlers.ofString());
        boolean again = answer.statusCode() == 503 || answer.statusCode() == 429;
        if (!again || attempt == ATTEMPTS) return answer;
        waitSeconds = answer.headers().firstValueAsLong("Retry-After").orElse(1);
      } catch (IOException error) {
        if (attempt == ATTEMPTS) throw error;
      }
      Thread.sleep(waitSeconds * 1000);
    }
  }

  /** A text as JSON. A real program has a JSON library; Java itself has none. */
  static String json(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  static String field(String json, String name) {
    var found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
    return found.find() ? found.group(1) : json;
  }
}
