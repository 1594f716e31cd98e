//! An application on each store, and calls of it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request};
use mec_http::{Claims, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Answer, TestApp, claims, service, sign, token};

/// Runs a test that takes an [`Api`] on both stores.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::api::Api;

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                super::$name(Api::on_sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                super::$name(Api::on_postgres().await).await;
            }
        }
    )+};
}
pub(crate) use on_both;

pub struct Api {
    pub app: TestApp,
}

/// A call that is put together.
pub struct Call<'a> {
    api: &'a Api,
    method: &'a str,
    path: &'a str,
    token: String,
    headers: HeaderMap,
}

/// The answer to a write: status, `Content-Range`, `Preference-Applied` and `Location`, empty where absent.
pub type Told<'a> = (u16, &'a str, &'a str, &'a str);

pub fn admin() -> String {
    token(Role::MecAdmin)
}

/// An administrator of all namespaces.
pub fn of_all() -> String {
    sign(&Claims {
        namespace_id: "*".to_owned(),
        ..claims(Role::MecAdmin)
    })
}

/// Somebody of the namespace `other`.
pub fn elsewhere(role: Role) -> String {
    sign(&Claims {
        namespace_id: "other".to_owned(),
        ..claims(role)
    })
}

impl Api {
    pub fn on_sqlite() -> Self {
        let app = TestApp::start();
        Self { app }
    }

    pub async fn on_postgres() -> Self {
        let (app, _) = TestApp::start_on_postgres().await;
        Self { app }
    }

    /// A call by a service of the namespace `default`.
    pub fn call<'a>(&'a self, method: &'a str, path: &'a str) -> Call<'a> {
        Call {
            api: self,
            method,
            path,
            token: service(),
            headers: HeaderMap::new(),
        }
    }

    /// The rows at a path, as an administrator sees them.
    pub async fn rows(&self, path: &str) -> Value {
        self.call("GET", path).by(admin()).send("").await.ok()
    }

    /// A new row, as it is answered.
    pub async fn made(&self, resource: &str, row: Value) -> Value {
        let path = format!("/api/{resource}");
        let call = self.call("POST", &path).by(self.writer(resource));
        let made = call.prefer("return=representation").json(row).await;
        assert_eq!(made.status.as_u16(), 201, "{}", made.text);
        made.json()[0].clone()
    }

    /// The token of who may write a resource.
    pub fn writer(&self, resource: &str) -> String {
        match resource {
            "units" | "window_types" | "account_types" => of_all(),
            "accounts"
            | "account_external_ids"
            | "entitlements"
            | "entitlement_conditions"
            | "grants" => service(),
            _ => admin(),
        }
    }

    /// A new organization; its id.
    pub async fn account(&self, external_id: &str) -> Uuid {
        let row = json!({"account_type_code": "organization", "external_id": external_id});
        id(&self.made("accounts", row).await["account_id"])
    }

    /// A new limit of API requests, which no plan has; the entitlement's id.
    pub async fn limit(&self, account: Uuid, quantity: i64) -> Uuid {
        let row = requests(account, json!(quantity));
        id(&self.made("entitlements", row).await["entitlement_id"])
    }

    /// What a check of API requests answers.
    pub async fn check(&self, external_id: &str) -> Value {
        self.check_with(external_id, json!({})).await
    }

    pub async fn check_with(&self, external_id: &str, context: Value) -> Value {
        let asked = json!({
            "p_external_id": external_id, "p_resource_type": "api_requests", "p_context": context,
        });
        self.app.rpc("check_entitlement", asked).await.ok()
    }
}

/// An entitlement to API requests.
pub fn requests(account: Uuid, quantity: Value) -> Value {
    json!({
        "account_id": account, "resource_type_code": "api_requests",
        "limit_kind_code": "cumulative", "quantity_allowed": quantity,
    })
}

#[track_caller]
pub fn id(value: &Value) -> Uuid {
    value.as_str().unwrap().parse().unwrap()
}

impl Call<'_> {
    pub fn by(mut self, token: String) -> Self {
        self.token = token;
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers
            .append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn prefer(self, value: &str) -> Self {
        self.header("prefer", value)
    }

    pub fn object(self) -> Self {
        self.header("accept", "application/vnd.pgrst.object+json")
    }

    pub async fn json(self, body: Value) -> Answer {
        self.send(&body.to_string()).await
    }

    pub async fn csv(self, body: &str) -> Answer {
        self.header("content-type", "text/csv").send(body).await
    }

    pub async fn form(self, body: &str) -> Answer {
        let call = self.header("content-type", "application/x-www-form-urlencoded");
        call.send(body).await
    }

    pub async fn send(self, body: &str) -> Answer {
        let mut request = Request::builder().method(self.method).uri(self.path);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let headers = request.headers_mut().unwrap();
        headers.extend(self.headers);
        if !body.is_empty() && !headers.contains_key("content-type") {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        self.api.app.send(request).await
    }
}

/// What an answer's head says.
pub fn told(answer: &Answer) -> Told<'_> {
    let header = |name| answer.header(name).unwrap_or_default();
    (
        answer.status.as_u16(),
        header("content-range"),
        header("preference-applied"),
        header("location"),
    )
}
